// The orders about the queue and its destinations, as listd answers them.
export function queueOrders(site, Refused) {
  site.destinations ??= [];
  const isPaused = (name) => site.destinations.some((one) => one.paused && (one.name === "*" || one.name === name));
  const view = (copy) => ({ ...copy, paused: isPaused(copy.destination) && !copy.via });
  const gone = (id) => new Refused("not-found", `copy ${id} is not in the queue, or nothing had to change`, "see: postern queue list");
  const chosen = ({ id, destination, all }) => {
    const found = site.queue.filter((one) => all || (destination ? one.destination === destination : one.id === String(id) || one.trace === id));
    if (!all && !destination && found.length === 0) throw gone(id);
    return found;
  };
  const act = (args, change, fits = () => true) => {
    const found = chosen(args).filter(fits);
    if (args.id && /^\d{1,20}$/.test(args.id) && found.length === 0) throw gone(args.id);
    found.forEach(change);
    return { changed: found.length, onTheWay: 0, needTls: found.filter((one) => one.protection === "tls").length };
  };
  const setOf = (name) => site.destinations.find((one) => one.name === name);
  const change = (name, what) => {
    const before = setOf(name) ?? { name, connections: 0, perMinute: 0, retry: [], paused: false, pausedAt: 0 };
    const after = { ...before, ...what };
    const says = after.paused || after.connections || after.perMinute || after.retry.length;
    site.destinations = [...site.destinations.filter((one) => one.name !== name), ...(says ? [after] : [])].sort((a, b) => a.name < b.name ? -1 : 1);
    return after;
  };
  const minute = 60_000_000;
  return {
    "queue.list": ({ destination = "", list = "", state = "", olderThan = "", limit = 100, after = "" }) => {
      if (olderThan && !/^\d+[smhd]$/.test(olderThan)) throw new Refused("invalid", `"${olderThan}" is no length of time`, "give it as in 90s, 5m, 4h or 2d");
      const units = { s: minute / 60, m: minute, h: 60 * minute, d: 1440 * minute };
      const age = olderThan ? parseInt(olderThan, 10) * units[olderThan.at(-1)] : 0;
      const all = site.queue.filter((one) => (!destination || one.destination === destination) && (!list || one.list === list)
        && (!state || one.state === state) && (!age || one.queuedAt < Date.now() * 1000 - age));
      const from = after ? all.findIndex((one) => one.id === after.split(".")[1]) + 1 : 0;
      const items = all.slice(from, from + Number(limit));
      return { items: items.map(view), next: from + items.length < all.length ? `${items.at(-1).queuedAt}.${items.at(-1).id}` : "" };
    },
    "queue.show": ({ id }) => {
      const attempts = (copy) => Array.from({ length: copy.attempts }, (_, i) => ({ at: copy.queuedAt + i * 5 * minute, outcome: "deferred",
        remoteHost: "mx." + copy.destination, remoteAddress: "192.0.2.25", replyCode: 451, replyText: (copy.lastReply || "451 4.7.1 later").replace(/^\d+ /, ""),
        tls: { version: "TLSv1.3" } }));
      const copies = chosen({ id }).map((copy) => ({ ...view(copy), attemptList: attempts(copy) }));
      return /^\d{1,20}$/.test(id) ? copies[0] : { trace: id, copies, next: "" };
    },
    "queue.retry": (args) => act(args, () => {}, (one) => one.state !== "held"),
    "queue.hold": (args) => act(args, (one) => { one.state = "held"; }, (one) => one.state !== "held"),
    "queue.release": (args) => act(args, (one) => { one.state = "waiting"; }, (one) => one.state === "held"),
    "queue.drop": (args) => {
      if (!args.reason) throw new Refused("usage", "a copy is dropped for good, so say why", "give --reason TEXT");
      const found = chosen(args);
      site.queue = site.queue.filter((one) => !found.includes(one));
      site.dropped = { reason: args.reason, count: found.length };
      return { changed: found.length, onTheWay: 0, needTls: 0 };
    },
    "queue.reroute": ({ host = "", back = false, ...which }) => {
      if (!back && !/^[a-z0-9.[\]:-]+$/i.test(host)) throw new Refused("invalid", `"${host}" is not the name or the address of a host`, "give a name as in mx.example.org");
      return act(which, (one) => { one.via = back ? "" : /:\d+$/.test(host) ? host : host + ":25"; });
    },
    "queue.destinations": () => {
      const names = [...new Set(site.queue.map((one) => one.destination))];
      const items = names.map((name) => {
        const copies = site.queue.filter((one) => one.destination === name);
        const shape = setOf(name) ?? {};
        return { destination: name, waiting: copies.filter((one) => one.state === "waiting").length, active: 0,
          held: copies.filter((one) => one.state === "held").length, oldestAt: Math.min(...copies.map((one) => one.queuedAt)),
          nextAttemptAt: copies[0].nextAttemptAt, connections: 0, backOffUntil: Date.now() * 1000 + 4 * minute, paused: isPaused(name),
          maxConnections: shape.connections ?? 0, perMinute: shape.perMinute ?? 0, retry: shape.retry ?? [], lastOutcome: "deferred",
          lastAt: Date.now() * 1000 - 3 * minute, lastHost: "mx." + name, lastReply: copies[0].lastReply };
      });
      return { items, total: items.length, next: "" };
    },
    "queue.pause": ({ name = "*" }) => change(name, { paused: true, pausedAt: Date.now() * 1000 }),
    "queue.resume": ({ name = "*" }) => {
      if (!setOf(name)?.paused) throw new Refused("not-found", `${name} is not paused`, "see what is: postern destination list");
      return change(name, { paused: false, pausedAt: 0 });
    },
    "destination.list": () => ({ items: site.destinations, next: "", default: { connections: 8, firstRetry: "1m", maxRetry: "1h" } }),
    "destination.set": ({ name, connections, perMinute, retry }) => {
      if (!/^(\*|[a-z0-9.-]+)$/.test(name)) throw new Refused("invalid", `"${name}" is not a domain name`, "give a name as in lists.example.org");
      const pauses = retry && retry !== "default" ? retry.split(",") : [];
      for (const one of pauses) if (!/^\d+[smhd]$/.test(one)) throw new Refused("invalid", `"${one}" is no length of time`, "give it as in 90s, 5m, 4h or 2d");
      if (Number(connections) > 100) throw new Refused("invalid", '"connections" must be between 0 and 100');
      return change(name, { connections: Number(connections), perMinute: Number(perMinute), retry: pauses });
    },
    "destination.reset": ({ name }) => { change(name, { connections: 0, perMinute: 0, retry: [] }); return {}; },
  };
}
