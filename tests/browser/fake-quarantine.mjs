// The orders about held mail, as listd answers them. site.held: what waits; a test fills it with holdSome().
const Minute = 60e6, Day = 24 * 60 * Minute;

export function holdSome(site, now = Date.now() * 1000) {
  const lists = site.lists.map((list) => list.address);
  const held = (id, more) => ({ id, queueId: `4fQ${id}`, object: `9${id}`, mailFrom: "press@news.example", lists: [lists[0]], recipients: 1, size: 20400,
    cause: "spam", detail: "add header", heldAt: now - 90 * Minute, expiresAt: now + 30 * Day, state: "held", decidedAt: 0, decidedBy: "", destroyed: false, mayDecide: true, ...more });
  site.held = [
    held("14", {}),
    held("13", { mailFrom: "a.very.long.sender.address.for.narrow.screens@department.of.long.names.example", cause: "policy", detail: "sensitive_content: mrn" }),
    held("12", { mailFrom: "", cause: "milter", detail: "own: looks odd", lists: lists.slice(0, 2), recipients: 2 }),
    held("11", { mailFrom: "dr.ito@st-elmo.example", cause: "virus", detail: "Win.Test.EICAR_HDB-1" }),
    held("10", { state: "released", decidedAt: now - 30 * Minute, decidedBy: "ada", mayDecide: true }),
  ];
}

export function quarantineOrders(site, Refused) {
  site.held ??= [];
  site.trustedSenders ??= [];
  const find = (id) => {
    const found = site.held.find((one) => one.id === String(id));
    if (!found) throw new Refused("not-found", `there is no held message ${id}`, "see: postern quarantine list");
    return found;
  };
  const decide = (ids, state) => {
    for (const id of ids) if (find(id).state !== "held") throw new Refused("refused", `message ${id} was decided on already: ${find(id).state}`);
    for (const id of ids) Object.assign(find(id), { state, decidedAt: Date.now() * 1000, decidedBy: "ada" });
  };
  return {
    "quarantine.list": ({ state = "held", cause = "all", list = "", from = "" }) => {
      const items = site.held.filter((one) => (state === "all" || one.state === state) && (cause === "all" || one.cause === cause)
        && (!list || one.lists.includes(list)) && one.mailFrom.includes(from));
      return { items, next: "", total: items.length };
    },
    "quarantine.show": ({ id }) => find(id),
    "quarantine.read": ({ id, reason }) => {
      if (!reason) throw new Refused("invalid", "a reason is needed");
      return { id: find(id).id, subject: "<b>Prize</b> for you", from: "Press <press@news.example>", to: "board@lists.example", date: "Mon, 2 Mar 2026 10:00:00 +0000",
        text: "<script>document.title='taken'</script>\nYou have won.", sealed: false, attachments: [{ name: "prize.zip", type: "application/zip", size: 4096 }] };
    },
    "quarantine.release": ({ ids, trust, infected }) => {
      const sick = ids.find((id) => find(id).cause === "virus");
      if (sick && !infected) throw new Refused("refused", `message ${sick} is infected: ${find(sick).detail}`, "only an administrator can release it, who has to say so: --infected");
      decide(ids, "released");
      if (trust) site.trustedSenders.push(...ids.map((id) => ({ list: find(id).lists[0], address: find(id).mailFrom, addedAt: Date.now() * 1000, addedBy: "ada" })));
      return { released: ids.length };
    },
    "quarantine.delete": ({ ids }) => {
      decide(ids, "deleted");
      for (const id of ids) find(id).destroyed = true;
      return { deleted: ids.length, destroyed: ids.length, mustBeKept: 0 };
    },
    "quarantine.trusted": () => ({ items: site.trustedSenders, next: "" }),
    "quarantine.untrust": ({ list, address }) => {
      site.trustedSenders = site.trustedSenders.filter((one) => one.list !== list || one.address !== address);
      return {};
    },
  };
}
