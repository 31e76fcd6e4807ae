// The orders of the page "Send secure", as listd answers them. `site.mailTrouble` is what the next mail.send throws.
export function mailOrders(site, Refused) {
  site.mail ??= { from: "benedikt.sommer@st-elmo.example", sent: [] };
  const ways = { "sam@smime.example": "smime", "otto@pgp.example": "openpgp", "vera@tls.example": "tls", "wim@withheld.example": "withheld" };
  const planFor = (addresses) => addresses.map((address) => {
    if (!/^[^\s@%!"]+@[^\s@]+\.[a-z]+$/i.test(address))
      throw new Refused("invalid", `"${address}" is no mail address that can be written to`, "give each as in ann@example.org");
    const protection = ways[address] ?? "pickup";
    return { address, protection, reason: protection === "withheld" ? "no-key" : "" };
  });
  return {
    "mail.preview": ({ to = [], cc = [], subject = "", text = "", files = [] }) => {
      if (!site.mail.from) throw new Refused("refused", "your account has no mail address, so that nobody could tell who writes", "ask an administrator to set it: postern user set admin --mail ADDRESS");
      return { account: "admin", from: site.mail.from, list: "outbound@lists.st-elmo.example", class: "moderate",
        limits: { recipients: 100, files: 20, bytes: 10485760 }, items: planFor([...to, ...cc]),
        verdict: text || files.length ? site.mail.verdict?.(subject) ?? { passed: true, later: false, text: "" } : null };
    },
    "mail.send": (args) => {
      if (site.mailTrouble) {
        const trouble = site.mailTrouble;
        site.mailTrouble = undefined;
        throw new Refused(...trouble);
      }
      const before = site.mail.sent.find((one) => one.args.key === args.key);
      if (before) return { ...before.answer, again: true };
      const id = 41 + site.mail.sent.length;
      const plan = planFor([...args.to, ...args.cc]);
      const answer = { id, from: site.mail.from, list: "outbound@lists.st-elmo.example", recipients: plan.length, again: false };
      site.mail.sent.push({ args, answer, plan, at: Date.now() * 1000 });
      return answer;
    },
    "mail.sent": ({ id }) => {
      const post = (one) => ({ id: one.answer.id, list: one.answer.list, receivedAt: one.at, recipients: one.plan.length,
        delivered: 1, deferred: 0, failed: 0, withheld: 0, size: 4711, class: "moderate", state: "sending", reason: "" });
      if (id === undefined) return { items: [...site.mail.sent].reverse().map(post), next: "" };
      const one = site.mail.sent.find(({ answer }) => String(answer.id) === String(id));
      if (!one) throw new Refused("not-found", `you have sent no message ${id}`);
      const states = { smime: "delivered", openpgp: "queued", withheld: "withheld" };
      return { post: post(one), next: "", recipients: one.plan.map((row, i) => ({ ...row, copy: 900 + i, keyFingerprint: "",
        state: states[row.protection] ?? "delivered", deliveredAt: (states[row.protection] ?? "delivered") === "delivered" ? one.at : 0,
        attempts: [], ...(row.protection === "pickup" ? { pickup: { state: "waiting", openedAt: 0, expiresAt: one.at } } : {}) })) };
    },
  };
}
