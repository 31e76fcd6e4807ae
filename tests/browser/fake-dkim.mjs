// The orders about keys that sign mail, as listd answers them.
export function dkimOrders(site, Refused) {
  site.dkim ??= [];
  const day = 24 * 3600 * 1e6, now = () => Date.now() * 1000;
  const make = (domain, kind, more = {}) => {
    const selector = `p20261123${kind === "rsa" ? "r" : "e"}${site.dkim.length || ""}`;
    const name = `${selector}._domainkey.${domain}`;
    const record = `v=DKIM1; k=${kind}; p=${(kind === "rsa" ? "MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8A" : "").padEnd(kind === "rsa" ? 392 : 44, "Qm9hcmQ")}`;
    const zone = `${name}. 3600 IN TXT ( ${record.match(/.{1,255}/g).map((part) => `"${part}"`).join(" ")} )`;
    const key = { domain, selector, kind, service: "email", state: "waiting", name, record, zone, found: "", madeAt: now(),
      activeAt: 0, endsAt: 0, checkedAt: 0,
      advice: "Publish this TXT record. The key is taken into use by itself once the record is seen in the DNS.", ...more };
    site.dkim.push(key);
    return key;
  };
  return {
    "dkim.list": () => ({ items: site.dkim, next: "" }),
    "dkim.add": ({ domain, kind }) => {
      if (!domain.endsWith("st-elmo.example")) throw new Refused("not-found", `no mail of ${domain} is sent from here`, "add it first: postern domain add");
      return make(domain, kind);
    },
    "dkim.rotate": ({ domain }) => ({ items: [make(domain, "rsa")], next: "" }),
    "dkim.check": () => {
      for (const key of site.dkim) {
        if (key.state === "active") Object.assign(key, { state: "former", endsAt: now() + 7 * day,
          advice: "Leave the record in the DNS until 2026-11-30: mail that it signed may be under way." });
        if (key.state === "waiting") Object.assign(key, { state: "active", activeAt: now(), advice: "" });
        Object.assign(key, { found: "same", checkedAt: now() });
      }
      return { items: site.dkim, next: "" };
    },
  };
}
