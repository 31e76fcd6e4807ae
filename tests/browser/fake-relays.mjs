// The orders about relays, as listd answers them.
export function relayOrders(site, Refused) {
  site.relays ??= [];
  const isOf = ({ range, domain, fingerprint = "", name = "" }) => (one) =>
    one.range === range && one.domain === domain && (!fingerprint || one.fingerprint === fingerprint) && (!name || one.name === name);
  return {
    "relay.list": () => ({ items: site.relays, next: "" }),
    "relay.add": ({ range: given, domain, list, certificate = "", fingerprint = "", issuer = "", name = "" }) => {
      const range = given || "any";
      if (certificate) fingerprint = "c0ffee".repeat(11).slice(0, 64);
      if (range === "any" && (fingerprint || name)) {
        const known = { range, domain, list, fingerprint, issuer, name };
        site.relays = [...site.relays.filter((one) => JSON.stringify(one) !== JSON.stringify(known)), known];
        return known;
      }
      if (range === "any") throw new Refused("refused", "this range holds every address, so that anybody could send mail through here", "name the addresses of the relay, or its certificate");
      if (!/^[0-9a-f.:]+(\/\d+)?$/.test(range)) throw new Refused("invalid", `"${range}" is no range of addresses`, "give it as in 192.0.2.0/24 or 2001:db8::25");
      if (/\/0$/.test(range)) throw new Refused("refused", "this range holds every address, so that anybody could send mail through here", "name the addresses of the relay");
      const made = { range, domain, list, fingerprint, issuer, name };
      site.relays = [...site.relays.filter((one) => !isOf(made)(one)), made];
      return made;
    },
    "relay.remove": (args) => {
      if (!site.relays.some(isOf(args))) throw new Refused("not-found", `there is no relay ${args.range} for ${args.domain}`, "see: postern relay list");
      site.relays = site.relays.filter((one) => !isOf(args)(one));
      return {};
    },
  };
}
