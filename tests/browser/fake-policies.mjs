// The orders about policies, as listd answers them.
const tag = `return {
  name = "secure_tag",
  doc = "Refuses mail that its author has marked as secure for every open list.",
  hooks = { message = function(tx, msg) return pass() end },
}
`;

export function policyOrders(site, Refused) {
  const now = () => Date.now() * 1000, hour = 3600 * 1e6;
  const made = (number, state, files, more = {}) => ({ revision: number, state, digest: "fnv64:0123456789abcdef", sha256: "ab".repeat(32),
    madeAt: now() - 30 * hour, madeBy: "root", note: "", inForceAt: state === "candidate" ? 0 : now() - 20 * hour, inForceBy: state === "candidate" ? "" : "ada",
    reason: state === "candidate" ? "" : "as the board decided", backTo: 0, files, ...more });
  site.policySets ??= [made(1, "former", { "secure_tag.lua": tag.replace("every ", ""), "order.txt": "secure_tag\n" }, { madeBy: "system", note: "from the policy folder" }),
    made(2, "in-force", { "secure_tag.lua": tag, "lib/tag.lua": "return {}\n", "order.txt": "secure_tag\n" })];
  site.policyValues ??= { trusted_domains: ["example.net", "partner.example"] };
  const find = (number) => {
    const set = number ? site.policySets.find((one) => one.revision === Number(number)) : site.policySets.find((one) => one.state === "in-force");
    if (!set) throw new Refused("not-found", `there is no policy set ${number}, or it is kept no longer`, "see: postern policy history");
    return set;
  };
  const bare = ({ files, ...set }) => set;
  const report = (files) => {
    const text = Object.values(files).join("");
    const problems = text.includes("retrun") ? [{ file: "secure_tag.lua", line: 4, text: "syntax error near 'retrun'" }] : [];
    const failed = text.includes("wrong");
    const covered = Object.fromEntries(Object.keys(files).filter((path) => path.endsWith(".lua")).map((path) => [path, [1, 2, 3]]));
    return { ok: !problems.length && !failed, covered, digest: "fnv64:1", problems, warnings: [],
      policies: Object.keys(files).filter((path) => /^[a-z_]+\.lua$/.test(path)).map((path) => ({ name: path.replace(".lua", ""),
        doc: "Refuses mail that its author has marked as secure for every open list.", hooks: ["message", "rcpt"], cases: 2,
        sets: [{ name: "trusted_domains", doc: "domains that may send without a mark" }] })),
      cases: [{ policy: "secure_tag", title: "a tagged message is refused", ok: true, text: "" },
        { policy: "secure_tag", title: "an ordinary one passes", ok: !failed, text: failed ? "expected pass, got reject 550 5.7.1 (secure-tag)" : "" }] };
  };
  const change = (name, added, removed) => {
    site.policyValues[name].sort();
    return { set: name, added, removed, entries: site.policyValues[name].length, atGateway: true };
  };
  const force = (set, reason) => {
    for (const one of site.policySets) if (one.state === "in-force") one.state = "former";
    Object.assign(set, { state: "in-force", inForceAt: now(), inForceBy: "ada", reason });
    return { ...bare(set), atGateway: true };
  };
  return {
    "policy.history": () => ({ items: [...site.policySets].reverse().map(bare), next: "" }),
    "policy.show": ({ revision }) => find(revision),
    "policy.diff": ({ revision }) => {
      const files = find(revision).files, before = find(revision === "1" ? 2 : Math.max(1, Number(revision) - 1)).files;
      const lines = (path) => [...(before[path] ?? "").split("\n").map((text) => ({ mark: "-", text })), { mark: "…", text: "" }, ...files[path].split("\n").map((text) => ({ mark: "+", text }))];
      return { revision: Number(revision), against: Math.max(1, Number(revision) - 1),
        files: Object.keys(files).filter((path) => files[path] !== before[path]).map((path) => ({ path, change: path in before ? "changed" : "added", lines: lines(path) })) };
    },
    "policy.test": ({ revision, files }) => report(files ?? find(revision).files),
    "policy.store": ({ files, note }) => {
      const set = made(site.policySets.length + 1, "candidate", files, { note, madeBy: "ada" });
      site.policySets.push(set);
      return { ...bare(set), report: report(files) };
    },
    "policy.activate": ({ revision, reason }) => {
      if (!report(find(revision).files).ok) throw new Refused("refused", "this policy set stays out of force: it does not load, or one of its cases fails", "secure_tag: an ordinary one passes");
      return force(find(revision), reason);
    },
    "policy.rollback": ({ revision, reason }) => {
      const back = find(revision), set = made(site.policySets.length + 1, "candidate", back.files, { backTo: back.revision, note: `back to ${back.revision}` });
      site.policySets.push(set);
      return force(set, reason);
    },
    "policy.sets": () => ({ items: Object.entries(site.policyValues).map(([set, values]) => ({ set, entries: values.length, changedAt: now() })), next: "" }),
    "policy.set-show": ({ set }) => ({ set, entries: (site.policyValues[set] ?? []).length, items: site.policyValues[set] ?? [], next: "" }),
    "policy.set-add": ({ set, value }) => { (site.policyValues[set] ??= []).push(value.toLowerCase()); return change(set, 1, 0); },
    "policy.set-remove": ({ set, value }) => {
      const values = site.policyValues[set] ?? [];
      if (!values.includes(value)) throw new Refused("not-found", `the set ${set} has no such entry`, `see: postern policy set-show ${set}`);
      site.policyValues[set] = values.filter((one) => one !== value);
      return change(set, 0, 1);
    },
    "policy.set-import": ({ set, text }) => { (site.policyValues[set] ??= []).push(...text.split(/\s+/).filter(Boolean)); return change(set, 1, 0); },
    "policy.explain": ({ post, recipients }) => {
      const address = recipients?.[0] ?? "social@st-elmo.example";
      const pass = { verdict: "pass", policy: "", reason: "", code: 0, enh: "", text: "" };
      const reject = post ? { ...pass, verdict: "reject", policy: "secure_tag", reason: "secure-tag" }
        : { verdict: "reject", policy: "secure_tag", reason: "secure-tag", code: 550, enh: "5.7.1", text: "This list is open. Please take the mark out of the subject." };
      return { unclear: "", stored: !!post, recipients: [{ ...reject, address, hook: "message", failure: null }],
        hooks: [{ hook: "rcpt", recipients: [address], outcome: [pass], failure: null, steps: [{ policy: "secure_tag", micros: 41, verdicts: [pass], notes: [] }] },
          { hook: "message", recipients: [address], outcome: [reject], failure: null, steps: [{ policy: "secure_tag", micros: 212, verdicts: [reject], notes: post ? [] : [{ key: "tag", value: "colon" }] },
            { policy: "size_limits", micros: 12, verdicts: [null], notes: [] }] }] };
    },
    "policy.shadow": () => site.policyShadow ?? { running: false, digest: "", kinds: [], compared: 0, different: 0, failed: 0, dropped: 0, waiting: 0, revision: 0 },
    "policy.shadow-start": ({ revision, hours }) => {
      site.policyShadow = { running: true, digest: "fnv64:2", revision: Number(revision), startedBy: "ada", since: now(), until: now() + Number(hours) * hour, dropped: 3, waiting: 0, compared: 12034,
        different: 14, failed: 0, kinds: [{ hook: "message", now: "pass", then: "reject raffle (no_raffles)", messages: 14, recipients: 15, examples: ["4c1f6a7b8d9e0f1a4c1f6a7b8d9e0f1a", "5d1f6a7b8d9e0f1a4c1f6a7b8d9e0f1b"] }] };
      return { revision: Number(revision), until: site.policyShadow.until };
    },
    "policy.replay": ({ revision, days }) => {
      site.policyReplay = { id: 7, kind: "policy.replay", args: { revision: Number(revision) }, state: "done", done: 12034, total: 12034, message: "", days,
        result: { compared: 12034, different: 14, failed: 0, unreadable: 2, kinds: [{ hook: "message", now: "pass", then: "reject raffle (no_raffles)", messages: 14, recipients: 14 }],
          messages: [{ post: 31, queueId: "q", now: "pass", then: "reject raffle (no_raffles)" }] } };
      return { job: 7, revision: Number(revision) };
    },
    "policy.shadow-stop": () => { site.policyShadow.running = false; return {}; },
  };
}
