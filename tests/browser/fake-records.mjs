// The records of the fake listd: rules, matters, holds, requests, searches, exports, the audit log. In the shapes of
// docs/orders.md, kept in memory, so that what one page changes the next one shows.
import { createHash } from "node:crypto";

const day = 24 * 60 * 60_000_000;
const year = 365 * day;
const now = () => Date.now() * 1000;
const at = (text) => Date.parse(text) * 1000;
const sha = (text) => createHash("sha256").update(text).digest("hex");

export const canary = "Kanarienvogel-7719 quarterly mortality";

const rule = (id, name, tier, effect, period, sentence, more = {}) => ({
  id, version: 1, name, tier, effect, period, start: "received", action: "purge", scope: {}, enabled: true, locked: false,
  effectiveFrom: at("2025-06-01"), sentence, matched: 18_204 - id * 1311, shadowedBy: null, pending: null,
  history: [{ version: 1, at: at("2025-05-24T09:12:00Z"), by: "olga", reason: "Records schedule 2025", sentence, request: null }], ...more,
});

const months = (count, start = new Date()) => Array.from({ length: count }, (unused, i) => {
  const month = new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth() + i, 1)).toISOString().slice(0, 7);
  return { month, due: Math.round(320 + 210 * Math.sin(i / 2.3) + ((i * 7919) % 97)), reviews: i % 5 === 2 ? 64 : i % 3 };
});

const hold = (id, matter, name, sentence, more = {}) => ({
  id, matter, name, scope: { lists: ["board@lists.st-elmo.example"] }, sentence, silent: false, state: "placed",
  placedAt: now() - 40 * day, placedBy: "olga", releasedAt: null, inForceUntil: null, objects: 2118, growth24h: 14, ...more,
});

const request = (id, kind, title, more = {}) => ({
  id, kind, title, reason: "The records schedule of 2026 asks for it.", requester: "olga", createdAt: now() - 26 * 3600_000_000, state: "waiting",
  before: null, after: null, whatIf: null, effectiveAt: null, decider: null, decision: null, decidedAt: null, ...more,
});

export function addRecords(site) {
  const people = [["olga", "officer"], ["paul", "approver"], ["uma", "auditor"], ["owen", "owner"], ["kim", "custodian"], ["hal", "helpdesk"]];
  for (const [name, role] of people) site.accounts.push({ name, role, password: "correct horse battery", createdAt: now() - 200 * day });
  site.steppedUp = false;
  site.clockTrusted = true;
  site.exportRuns = 0;
  site.audit = { intact: true, anchoredAt: now() - 3 * 3600_000_000 };
  site.rules = [
    rule(1, "HIPAA documentation", "floor", "retain", "6 years", "Keep every message for 6 years from receipt.", { locked: true }),
    rule(2, "Case notes", "label", "retain", "10 years", "Keep mail labelled case-note for 10 years from receipt.", { scope: { labels: ["case-note"] } }),
    rule(3, "Social list", "scoped", "both", "90 days", "Keep mail on social@lists.st-elmo.example for 90 days from receipt, then destroy it.",
      { scope: { lists: ["social@lists.st-elmo.example"] }, shadowedBy: "HIPAA documentation" }),
    rule(4, "Board papers", "scoped", "both", "7 years", "Keep mail on board@lists.st-elmo.example for 7 years from receipt, then ask a person.",
      { scope: { lists: ["board@lists.st-elmo.example"] }, action: "review", pending: { effectiveFrom: now() + 4 * day, sentence: "Keep mail on board@lists.st-elmo.example for 10 years from receipt, then ask a person.", request: 41 } }),
    rule(5, "Everything else", "default", "both", "7 years", "Keep every other message for 7 years from receipt, then destroy it."),
  ];
  site.whatIfs = new Map();
  site.matters = [{ id: 7, name: "Rowe v. St. Elmo", description: "Claim of 2026-02-11 about discharge letters", state: "open", createdAt: now() - 41 * day, createdBy: "olga",
    custodians: [
      { address: "amelia.novak@st-elmo.example", state: "acknowledged", noticedAt: now() - 40 * day, acknowledgedAt: now() - 39 * day, remindedAt: null },
      { address: "hugo.martins@st-elmo.example", state: "reminded", noticedAt: now() - 40 * day, acknowledgedAt: null, remindedAt: now() - 5 * day },
    ],
    searches: [{ id: 1, name: "Discharge letters", query: 'subject:discharge "Rowe"' }], exports: [],
    notes: [{ at: now() - 30 * day, by: "olga", text: "Counsel asks for the period from January on." }], team: ["olga"],
    log: [{ at: now() - 41 * day, by: "olga", text: "Matter opened" }, { at: now() - 40 * day, by: "olga", text: "Hold “Board, from January” placed" }] }];
  site.holds = [hold(21, 7, "Board, from January", "On board@lists.st-elmo.example, received 2026-01-01 or later."),
    hold(22, 7, "Quiet look", "To or from hugo.martins@st-elmo.example.", { silent: true, placedAt: now() - 420 * day, objects: 87, growth24h: 0 })];
  site.requests = [
    request(41, "rule.propose", "Shorten “Everything else” from 7 years to 5 years", {
      before: { name: "Everything else", tier: "default", period: "7 years", action: "purge", scope: {} },
      after: { name: "Everything else", tier: "default", period: "5 years", action: "purge", scope: {} },
      whatIf: { id: 1, becomesEarlier: 4121, becomesDue: 211 } }),
    request(42, "hold.release", "Release the hold “Quiet look”", { requester: "paul", before: { state: "placed" }, after: { state: "released" } }),
    request(40, "account.set", "Make uma an auditor", { state: "approved", decider: "paul", decision: "Agreed with the board.", decidedAt: now() - 9 * day, requester: "ada" }),
  ];
  site.reviews = [1, 2, 3].map((i) => ({ object: 5000 + i, list: "board@lists.st-elmo.example", dueAt: now() - i * day, rule: "Board papers" }));
  site.exports = [];
  site.notices = { "n0tice-token": { matter: "Rowe v. St. Elmo", custodian: "hugo.martins@st-elmo.example", acknowledgedAt: null,
    text: "Please keep everything that may concern this matter.\nQuestions go to the compliance officer." } };
  site.runs = [{ id: 12, startedAt: now() - day, finishedAt: now() - day + 94_000_000, state: "done", candidates: 214, destroyed: 201,
    kept: [{ reason: "held", count: 11 }, { reason: "review", count: 2 }], certificate: 12 }];
  return site;
}

const lineOf = (one, received) => {
  const [count, unit] = one.period.split(" ");
  const end = new Date(received / 1000);
  if (unit?.startsWith("year")) end.setUTCFullYear(end.getUTCFullYear() + Number(count));
  if (unit?.startsWith("day")) end.setUTCDate(end.getUTCDate() + Number(count));
  return { rule: one.id, version: one.version, name: one.name, tier: one.tier, effect: one.effect, period: one.period, start: "received", startAt: received,
    retainEnd: one.effect === "delete" ? null : end * 1000, deleteEnd: one.effect === "retain" ? null : end * 1000, match: "true", switchedOff: false,
    decidesRetain: one.tier === "floor", decidesDelete: one.tier === "default", sentence: one.sentence };
};

const entryOf = (seq, actor, action, object, outcome, sentence) => ({ seq, at: now() - (400 - seq) * 900_000_000, actor, action, object, outcome, sentence });
const entries = () => [
  entryOf(398, "olga", "search", "matter 7", "ok", "olga searched in matter 7: 42 hits"),
  entryOf(397, "paul", "request.approve", "request 40", "ok", "paul approved request 40"),
  entryOf(396, "owen", "rule.propose", "rule 5", "denied", "owen was denied: change of rule 5"),
  entryOf(395, "system", "retention.run", "run 12", "ok", "the run 12 destroyed 201 messages and kept 13"),
  entryOf(394, "system", "object.destroy", "object 4711", "blocked-by-retention", "a hold kept object 4711"),
  entryOf(393, "system", "audit.anchor", "log", "error", "anchoring by mail failed"),
];

const whatIfResult = (site, args) => {
  const id = site.whatIfs.size + 1;
  const draft = args.rule ?? null;
  const stored = { id, at: args.at ?? now(), total: 91_204, becomesDue: 211, becomesEarlier: draft || args.remove ? 4121 : 0, becomesLater: draft ? 12 : 0, unchanged: 86_860,
    neverDue: 311, held: 2118, rule: draft, remove: args.remove ?? null, tookMicros: 184_000,
    due: months(9).flatMap(({ month, due }) => [{ list: "board@lists.st-elmo.example", month, count: due }, { list: "social@lists.st-elmo.example", month, count: due >> 2 }]),
    earlier: draft || args.remove ? [{ object: 4711, list: "board@lists.st-elmo.example", receivedAt: at("2025-01-10"), before: at("2032-01-10"), after: at("2030-01-10") }] : [],
    sample: [{ object: 4712, list: "social@lists.st-elmo.example", receivedAt: at("2025-02-10") }] };
  site.whatIfs.set(String(id), stored);
  return stored;
};

export const recordRules = (site, Refused, find, actor) => {
  const me = actor?.name ?? "";
  const role = site.accounts.find(({ name }) => name === me)?.role;
  const only = (...roles) => { if (!roles.includes(role)) throw new Refused("refused", "your roles do not allow this order"); };
  const needStepUp = () => { if (!site.steppedUp) throw new Refused("step-up", "this needs you to prove again that it is you", "sign in again, then repeat it"); };
  const by = (items, id, what) => { const item = items.find((one) => String(one.id) === String(id)); if (!item) throw new Refused("not-found", `there is no ${what} ${id}`); return item; };
  const decidable = (one) => ({ ...one, mayDecide: role === "approver" && one.requester !== me && one.state === "waiting",
    mayNot: one.requester === me ? "you made this request: another person must decide" : role === "approver" ? "" : "only an approver can decide" });
  const matterView = (one) => ({ ...one, holds: site.holds.filter(({ matter }) => String(matter) === String(one.id)), exports: site.exports.filter(({ matter }) => String(matter) === String(one.id)) });
  const makeRequest = (kind, title, more) => {
    const made = request(50 + site.requests.length, kind, title, { requester: me, createdAt: now(), ...more });
    site.requests.unshift(made);
    return { request: made };
  };
  const exportView = (one) => {
    if (one.state === "running" && ++one.asked > 3) Object.assign(one, { state: "done", bytes: 1_300_000, sha256: sha("export") });
    const { asked, passphrase, ...rest } = one;
    return rest;
  };
  return {
    "rule.list": () => ({ items: site.rules.map(({ history, ...one }) => one), next: "" }),
    "rule.show": ({ id }) => by(site.rules, id, "rule"),
    "rule.propose": ({ rule: draft, reason, whatIf }) => {
      only("officer");
      if (!draft.name) throw new Refused("invalid", "a rule needs a name");
      if (!/^(\d+ (days|months|years)|forever)$/.test(draft.period)) throw new Refused("invalid", `"${draft.period}" is no period`, "write 90 days, 18 months or 7 years");
      if (draft.id && !whatIf) throw new Refused("refused", "this change may shorten: it needs a stored what-if", "run one first");
      if (draft.id) return makeRequest("rule.propose", `Change of “${draft.name}”`, { reason, before: by(site.rules, draft.id, "rule"), after: draft, whatIf: { id: whatIf, becomesEarlier: 4121 } });
      const made = rule(10 + site.rules.length, draft.name, draft.tier, draft.effect, draft.period, `${draft.name}: ${draft.period}.`, { scope: draft.scope });
      site.rules.push(made);
      return made;
    },
    "rule.remove": ({ id, reason }) => makeRequest("rule.remove", `Removal of rule ${id}`, { reason, before: by(site.rules, id, "rule") }),
    "what-if.run": (args) => {
      if (args.rule && !args.rule.name) throw new Refused("invalid", "a rule needs a name");
      return whatIfResult(site, args);
    },
    "what-if.show": ({ id }) => site.whatIfs.get(String(id)) ?? whatIfResult(site, { rule: site.rules[4] }),
    "what-if.csv": () => ({ csv: "list,month,count\r\nboard@lists.st-elmo.example,2031-01,12\r\n" }),
    "retention.explain": ({ object, post, messageId }) => {
      only("officer", "auditor", "helpdesk");
      const id = Number(object ?? post ?? (messageId?.includes("4200") ? 4200 : 0));
      if (!(id > 0)) throw new Refused("not-found", "there is no such message");
      const received = at("2025-01-10T09:30:00Z");
      const lines = [site.rules[0], site.rules[4]].map((one) => lineOf(one, received));
      return { object: id, receivedAt: received, size: 40_211, class: "high", state: "stored", digest: sha("object" + id),
        references: [{ list: "board@lists.st-elmo.example", retainUntil: at("2032-01-10T09:30:00Z"), deleteAt: at("2032-01-10T09:30:00Z"), disposeAt: at("2032-01-10T09:30:00Z"), action: "purge", due: false, lines, hiddenAt: null, removedAt: null }],
        holds: role === "helpdesk" || id !== 4711 ? [] : site.holds.filter(({ silent }) => !silent || role === "officer").map(({ id: holdId, matter, name, silent }) => ({ id: holdId, matter, name, silent, until: null })),
        history: [{ at: received, sentence: "Received and stored." }], sentence: "Two rules match; the default decides when it goes." };
    },
    "list.content-access": ({ list }) => ({ next: "", items: list.startsWith("social") ? [] : [
      { at: now() - 2 * 3600_000_000, by: "olga", role: "officer", action: "read", object: "4711", objects: 1 },
      { at: now() - day, by: "olga", role: "officer", action: "exported", object: "", objects: 12 }] }),
    "retention.verify": ({ object }) => ({ digest: sha("object" + object), ok: String(object) !== "4713" }),
    "retention.forecast": ({ months: count }) => ({ asOf: now(), items: months(count), neverDue: 311, noRule: 38, held: 2118 }),
    "retention.status": () => ({ nextRunAt: now() + 9 * 3600_000_000, lastRun: site.runs[0], clock: { trusted: site.clockTrusted, reason: site.clockTrusted ? "" : "the clock jumped five years ahead" },
      blastLimit: 1000, waitingReviews: site.reviews.length, noRule: 38, running: null }),
    "retention.run": () => { needStepUp(); return { job: 91 }; },
    "retention.runs": () => ({ items: site.runs }),
    "certificate.list": () => ({ items: [{ id: 12, run: 12, lines: 201, at: now() - day }] }),
    "certificate.show": ({ id, after, check }) => String(id) === "13"
      ? { id: 13, run: 13, lines: 60_000, signature: sha("signature"), publicKey: "postern-disposition+1f2e+" + sha("key").slice(0, 43), ...(check ? { holds: true } : {}),
        ...(after ? {} : { text: "Certificate of disposition 13\nSite postern.st-elmo.example\n\n(60000 lines, given page by page)\n" }),
        items: Array.from({ length: 100 }, (_, i) => `object ${5000 + Number(after || 0) + i} | lists board@lists.st-elmo.example | received 2019-01-10T08:12:44Z | size 4210 | method purge\n`),
        next: String(Number(after || 0) + 100) }
      : ({ id: 12, run: 12, lines: 2, holds: true, signature: sha("signature"), publicKey: "postern-disposition+1f2e+" + sha("key").slice(0, 43),
      text: "Certificate of disposition 12\nSite postern.st-elmo.example\n\n4102  2019-01-10T08:12:44Z  rule 5 version 1  purged  " + sha("4102") + "\n4103  2019-01-10T08:40:01Z  rule 5 version 1  purged  " + sha("4103") + "\n" }),
    "object.read": ({ reason }) => {
      only("officer");
      if (!reason) throw new Refused("invalid", "a reason is needed");
      return { subject: canary, from: "Amelia Novak <amelia.novak@st-elmo.example>", to: "board@lists.st-elmo.example", date: "Fri, 10 Jan 2025 10:29:58 +0100", text: "Dear all,\n\nthe figures of the quarter are attached.\n\nAmelia\n",
        html: `<p onclick="steal()">Dear <b>all</b>,</p><script>alert(1)</script><img src="https://tracker.example/p.gif"><p>figures <a href="https://evil.example/">here</a></p>`,
        attachments: [{ name: "figures.pdf", type: "application/pdf", size: 88_120 }] };
    },
    "review.list": ({ limit }) => ({ items: site.reviews.slice(0, limit), next: "", waiting: site.reviews.length }),
    "review.decide": ({ objects, reason }) => {
      needStepUp();
      if (!reason) throw new Refused("invalid", "a reason is needed");
      site.reviews = site.reviews.filter((one) => !objects.some(({ object }) => object === String(one.object)));
      return { changed: objects.length };
    },
    "matter.list": () => ({ items: site.matters.map(matterView), next: "" }),
    "matter.show": ({ id }) => matterView(by(site.matters, id, "matter")),
    "matter.create": ({ name, description }) => {
      only("officer");
      if (!name.trim()) throw new Refused("invalid", "a matter needs a name");
      const made = { id: 8 + site.matters.length, name, description, state: "open", createdAt: now(), createdBy: me, custodians: [], searches: [], exports: [], notes: [], team: [me], log: [] };
      site.matters.push(made);
      return made;
    },
    "matter.set": ({ id, ...change }) => Object.assign(by(site.matters, id, "matter"), change),
    "matter.close": ({ id }) => Object.assign(by(site.matters, id, "matter"), { state: "closed" }),
    "matter.note": ({ id, text }) => { const one = by(site.matters, id, "matter"); one.notes.push({ at: now(), by: me, text }); return one; },
    "custodian.add": ({ matter, address }) => { const made = { address, state: "none", noticedAt: null, acknowledgedAt: null, remindedAt: null }; by(site.matters, matter, "matter").custodians.push(made); return made; },
    "custodian.remove": ({ matter, address }) => { const one = by(site.matters, matter, "matter"); one.custodians = one.custodians.filter((custodian) => custodian.address !== address); return {}; },
    "hold.preview": ({ scope }) => {
      if (scope.from && !/^\d{4}-\d\d-\d\d$/.test(scope.from)) throw new Refused("invalid", '"from" is no day');
      return { objects: Object.keys(scope).length ? 2118 : 91_204, notEvaluable: 3, oldestAt: at("2024-03-01T08:00:00Z"), newestAt: now() - 3600_000_000, growth24h: 14,
        sample: [{ object: 4711, list: "board@lists.st-elmo.example", receivedAt: at("2025-01-10") }, { object: 4712, list: "board@lists.st-elmo.example", receivedAt: at("2025-02-11") }] };
    },
    "hold.place": ({ matter, name, scope, silent }) => {
      only("officer");
      if (!name) throw new Refused("invalid", "a hold needs a name");
      const made = hold(30 + site.holds.length, Number(matter), name, "On " + (scope.lists ?? ["every list"]).join(", ") + ".", { scope, silent, placedAt: now(), placedBy: me });
      site.holds.push(made);
      return made;
    },
    "hold.list": ({ state, matter }) => ({ items: site.holds.filter((one) => (!state || one.state === state) && (!matter || String(one.matter) === String(matter)) && (!one.silent || role === "officer")), next: "" }),
    "hold.show": ({ id }) => by(site.holds, id, "hold"),
    "hold.release": ({ id, reason, whatIf }) => {
      needStepUp();
      if (!whatIf) throw new Refused("refused", "a release needs a stored what-if");
      const one = by(site.holds, id, "hold");
      return makeRequest("hold.release", `Release the hold “${one.name}”`, { reason, before: { state: "placed" }, after: { state: "released" } });
    },
    "notice.show": ({ token }) => site.notices[token] ?? (() => { throw new Refused("not-found", "there is no such notice"); })(),
    "notice.acknowledge": ({ token }) => Object.assign(site.notices[token], { acknowledgedAt: now() }),
    "request.list": ({ state, limit }) => {
      const all = site.requests.map(decidable);
      return { items: all.filter((one) => !state || one.state === state).slice(0, limit), next: "", waiting: all.filter(({ mayDecide }) => mayDecide).length };
    },
    "request.show": ({ id }) => decidable(by(site.requests, id, "request")),
    "request.approve": ({ id, words }) => { only("approver"); needStepUp(); return Object.assign(by(site.requests, id, "request"), { state: "approved", decider: me, decision: words, decidedAt: now(), effectiveAt: now() + 7 * day }); },
    "request.refuse": ({ id, words }) => { only("approver"); needStepUp(); return Object.assign(by(site.requests, id, "request"), { state: "refused", decider: me, decision: words, decidedAt: now() }); },
    "request.ask": ({ id }) => by(site.requests, id, "request"),
    "request.withdraw": ({ id }) => Object.assign(by(site.requests, id, "request"), { state: "withdrawn" }),
    "search.check": ({ query }) => query.includes("((") ? { ok: false, normalised: "", error: "a bracket is not closed", position: 3, help: [] } : { ok: true, normalised: query.toLowerCase(), error: "", position: 0, help: [] },
    search: ({ query, count, limit }) => {
      only("officer");
      const hits = query.includes("nothing") ? 0 : 42;
      if (count) return { hits, notEvaluable: 2, items: [], next: "" };
      return { hits, notEvaluable: 2, next: "", items: Array.from({ length: Math.min(hits, limit, 12) }, (unused, i) => ({ object: 4711 + i, receivedAt: at("2025-01-10T09:30:00Z") + i * day, lists: ["board@lists.st-elmo.example"],
        subject: i ? `Discharge letters, week ${i}` : canary, from: "amelia.novak@st-elmo.example", size: 20_000 + i * 991, attachments: i % 3, held: i === 0 })) };
    },
    "search.save": ({ matter, name, query }) => { const made = { id: 9, name, query }; by(site.matters, matter, "matter").searches.push(made); return made; },
    "export.create": ({ matter, format, passphrase, query }) => {
      if (passphrase && passphrase.length < 15) throw new Refused("invalid", "the passphrase is too short", "use 15 characters or more");
      const made = { id: 60 + site.exports.length, matter: Number(matter), format, objects: 42, bytes: 0, sha256: "", state: "running", job: 90, createdBy: me, createdAt: now(), expiresAt: now() + 30 * day, downloads: [], manifest: "manifest.json\n" + sha("1") + "  0001.eml", asked: 0 };
      site.exports.push(made);
      return { id: made.id, job: 90, passphrase: passphrase ? undefined : "orchid-tram-lemon-sleet-harbour" };
    },
    "pickup.list": () => ({ items: [], next: null }),
    "export.list": () => ({ items: site.exports.map(exportView) }),
    "export.show": ({ id }) => exportView(by(site.exports, id, "export")),
    "export.read": ({ id, offset, length }) => {
      const one = by(site.exports, id, "export");
      if (offset === 0) one.downloads.push({ at: now(), by: me });
      const total = 1_300_000;
      return { bytes: Buffer.alloc(Math.max(0, Math.min(length, total - offset)), 65 + Math.floor(offset / 524_288)).toString("base64"), total };
    },
    "export.remove": ({ id }) => { site.exports = site.exports.filter((one) => String(one.id) !== String(id)); return {}; },
    "search.list": ({ matter }) => ({ items: by(site.matters, matter, "matter").searches, next: "" }),
    "token.list": () => ({ items: [] }),
    "account.show": ({ name }) => ({ name: name || "olga", roles: ["officer"], lists: [], state: "enabled", factors: [], recoveryCodesLeft: 10 }),
    "job.list": () => ({ items: [], next: "" }),
    "access.review": () => ({ digest: "00", due: true, items: [] }),
    "break-glass.list": () => ({ items: [] }),
    "job.show": ({ id }) => site.policyReplay?.id === Number(id) ? site.policyReplay : ({ id, kind: "export", state: "running", done: 17, total: 42, message: "", startedBy: "olga", createdAt: now() }),
    "audit.list": ({ outcome, action, matter }) => {
      only("auditor", "officer");
      if (role === "officer" && !matter) throw new Refused("refused", "a compliance officer reads the log of a matter only");
      return { items: entries().filter((one) => (!outcome || one.outcome === outcome) && (!action || one.action === action)), next: "", size: 399 };
    },
    "audit.show": ({ seq }) => ({ entry: { seq: String(seq), action: "search", actor_id: sha("actor").slice(0, 16), outcome: "ok", prev_hash: sha("prev") }, row: entries().find((one) => String(one.seq) === String(seq)) ?? entries()[0],
      raw: Buffer.from("the bytes of the entry " + seq).toString("base64"), leafHash: sha("leaf" + seq), proof: [sha("a"), sha("b"), sha("c")], checkpoint: "postern.st-elmo.example/audit\n399\n" + sha("root") + "\n" }),
    "audit.status": () => ({ size: 399, root: sha("root"), checkpointAt: now() - 3600_000_000, coverage: 380, lastAnchoredAt: site.audit.anchoredAt, publicKey: "postern+1f2e3d4c+" + sha("audit").slice(0, 43),
      anchors: [{ kind: "mail", at: site.audit.anchoredAt, size: 380, state: "fresh" }, { kind: "syslog", at: now() - 30 * 3600_000_000, size: 301, state: "stale" }],
      verify: { at: now() - 2 * day, result: "the log is intact: 380 entries, anchored up to 380" } }),
    "audit.verify": () => site.audit.intact ? { exit: 0, result: "the log is intact", firstBad: null, size: 399, root: sha("root") } : { exit: 1, result: "entry 211 was altered", firstBad: 211, size: 399, root: sha("other") },
    "audit.export": () => ({ jsonl: '{"type":"postern-audit-export"}\n{"type":"entry","seq":1}\n', checkpoint: "", publicKey: "", next: "" }),
    "backup.status": () => ({ repository: "/backups", keysRepository: "/keys", made: { at: now() - day / 3, message: "" }, failed: null, proven: { at: now() - 12 * day, message: "" }, refuted: null, items: [] }),
    "keys.status": () => ({ rootKey: { source: "file", epoch: 3 }, epochs: [], current: 3, total: 91_204, rotation: null, vaultBytes: 4_100_000_000, backup: { at: now() - 2 * day, age: 172800 } }),
    report: ({ name }) => ({ title: "Report: " + name, columns: ["list", "method", "copies"], rows: [["board@lists.st-elmo.example", "S/MIME", 41206], ["social@lists.st-elmo.example", "plain", 8112]], signature: sha("report") }),
    "evidence.pack": () => {
      site.packs ??= [];
      const pack = { id: 51 + site.packs.length, state: "running", done: 3, total: 11, message: "Disposition certificates: 45000 rows", createdBy: "uma", createdAt: Date.now() * 1000,
        finishedAt: 0, expiresAt: 0, bytes: 0, sha256: "", manifest: "", rows: 0, complete: false };
      site.packs.unshift(pack);
      return pack;
    },
    "evidence.list": () => ({ items: site.packs ?? [], next: "" }),
    "evidence.read": ({ id, offset, ticket = "" }) => {
      const pack = (site.packs ?? []).find((one) => String(one.id) === String(id));
      if (pack?.state !== "done") throw new Refused("refused", "this evidence pack is not there", "ask for a new one");
      if (offset > 0 && ticket !== "t") throw new Refused("denied", "no ticket", "");
      const content = Buffer.from("PK\x03\x04" + "x".repeat(300_000), "latin1");
      return { bytes: content.subarray(offset, offset + 262_144).toString("base64"), total: content.length, ticket: "t" };
    },
    "evidence.remove": ({ id }) => { (site.packs ?? []).find((one) => String(one.id) === String(id)).state = "expired"; return {}; },
  };
};
