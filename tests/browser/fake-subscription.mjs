// The orders about joining and leaving, as listd answers them.
export const CONFIRM = "c".repeat(24), CLICK = "d".repeat(24), MEMBER = "e".repeat(24), REFUSED = "f".repeat(24);

export function subscriptionOrders(site, Refused) {
  const day = 24 * 3600 * 1e6, now = () => Date.now() * 1000;
  site.subscription ??= { rules: { joining: "confirm-moderate", leaving: "confirm", advertised: false, oneClick: true },
    requests: [], bans: [], used: new Set(), asked: [], own: { delivery: "each", enabled: true, paused: false, pausedFrom: 0, pausedUntil: 0 } };
  const state = site.subscription;
  const list = (address = "ward-rounds@lists.st-elmo.example") => ({ address, displayName: "Ward rounds",
    description: "What the wards tell each other before the rounds.", secure: true, open: true, ...state.rules });
  const gone = () => { throw new Refused("not-found", "this link is not valid any more", "ask the list for a new one"); };
  const link = (token) => {
    const common = { state: state.used.has(token) ? "done" : "asked", list: list(), address: "ann@members.example",
      from: "ann@members.example", to: "", reason: "", endsAt: now() + 3 * day };
    if (token === CONFIRM) return { ...common, action: "join" };
    if (token === CLICK) return { ...common, action: "one-click" };
    if (token === MEMBER) return { ...common, action: "member", member: state.own };
    if (token === REFUSED) return { ...common, action: "join", state: "refused", reason: "This list is for the wards alone." };
    return gone();
  };
  return {
    "subscription.show": ({ list: address }) => ({ list: address, ...state.rules, waiting: state.requests.length }),
    "subscription.set": (args) => Object.assign(state.rules, args),
    "subscription.list": () => ({ items: state.requests, next: "" }),
    "subscription.decide": ({ ids, decision, reason }) => {
      state.decided = { ids, decision, reason };
      state.requests = state.requests.filter(({ id }) => !ids.includes(id));
      return { items: ids.map((id) => ({ id, list: list().address, outcome: decision === "grant" ? "joined" : "refused" })) };
    },
    "subscription.mine": () => ({ address: "ada@st-elmo.example", next: "", items: [
      { ...list(), list: list().address, member: true, delivery: "each", paused: false, protection: "withheld", reason: "no-key", joinedAt: now() },
      { list: "news@lists.st-elmo.example", displayName: "", description: "", secure: false, joining: "confirm", leaving: "confirm", member: false }] }),
    "subscription.mine-ask": ({ action }) => ({ token: action === "member" ? MEMBER : CONFIRM, endsAt: now() + day }),
    "source.show": () => { if (!state.source) throw new Refused("not-found", "the members come from no directory"); return state.source; },
    "source.run": ({ dryRun, confirmed }) => {
      const result = { added: 2, removed: 4, failed: 1, skipped: 9, lookedAt: 13, brake: true, stopped: false, gone: ["bea@members.example"] };
      if (dryRun) return result;
      if (!confirmed) throw new Refused("refused", "4 of 13 members would go, which is more than 20 %; nothing was changed", "look with --dry-run, and confirm it");
      Object.assign(state.source, { state: "ok", outcome: "2 added, 4 removed, 1 not taken" });
      return result;
    },
    "subscription.invite": ({ address }) => ({ address, endsAt: now() + 14 * day }),
    "ban.list": () => ({ items: state.bans, next: "" }),
    "ban.add": ({ pattern, reason }) => {
      if (pattern === "*@*") throw new Refused("invalid", "that is no pattern of a ban", "an address, @ and a domain, or an address with * in it");
      state.bans.push({ id: String(state.bans.length + 1), pattern, reason, madeBy: "ada", madeAt: now() });
      return state.bans.at(-1);
    },
    "ban.remove": ({ id }) => { state.bans = state.bans.filter((ban) => ban.id !== id); return {}; },
    "subscribe.lists": () => ({ items: state.rules.advertised ? [list()] : [], next: "" }),
    "subscribe.about": ({ list: address }) => list(address),
    "subscribe.ask": (args) => {
      if (!args.address.includes("@")) throw new Refused("invalid", "that is no mail address");
      state.asked.push(args);
      return { asked: true };
    },
    "subscribe.show": ({ token }) => link(token),
    "subscribe.use": ({ token }) => { if (state.used.has(token) || token !== CONFIRM) gone(); state.used.add(token); return { outcome: state.joins ? "joined" : "waiting", needsKey: !!state.joins, list: list().address, address: "ann@members.example" }; },
    "subscribe.one-click": ({ token }) => { if (token !== CLICK) gone(); state.used.add(token); return { outcome: "left", list: list().address, address: "ann@members.example" }; },
    "subscribe.settings": (args) => {
      if (args.newAddress) return { outcome: "asked" };
      Object.assign(state.own, { delivery: args.delivery, pausedFrom: args.pausedFrom, pausedUntil: args.pausedUntil });
      return { outcome: "saved" };
    },
  };
}
