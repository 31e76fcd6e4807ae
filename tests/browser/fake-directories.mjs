// The orders about directories and trusted authorities, as listd answers them.
const now = () => Date.now() * 1000;
const day = 86_400_000_000;

const authorityOf = (subject, letter) => ({ fingerprint: letter.repeat(64), subject, notAfterAt: now() + 900 * day, addedAt: now() - 3 * day, addedBy: "ada" });

export function directoryOrders(site, Refused) {
  site.directories ??= [];
  site.authorities ??= [];
  site.authoritiesFromSettings ??= "";
  const stepped = () => { if (site.asksAgain && !site.steppedUp) throw new Refused("step-up", "prove again that it is you", ""); };
  const known = (name) => {
    const found = site.directories.find((one) => one.name === name);
    if (!found) throw new Refused("not-found", `there is no directory ${name}`, "see: postern directory list");
    return found;
  };
  const words = (text) => (Array.isArray(text) ? text : (text ?? "").split(/[, ]+/)).filter(Boolean);
  return {
    "directory.list": () => ({ items: site.directories.map(({ secret, ...one }) => one), next: "" }),
    "directory.add": ({ name, url, domains, base = "", filter = "(mail=%a)", attributes, bindName = "", password = "", authorities = "", authoritative = false }) => {
      stepped();
      if (!/^ldaps?:\/\/[^/?#@ ]+$/.test(url)) throw new Refused("invalid", `"${url}" is no address of a directory`, "give it as in ldaps://ldap.example.org, without base or filter; ldap:// is used with StartTLS");
      if (bindName && !password) throw new Refused("invalid", "a name without a password would be let in as nobody (RFC 4513, 5.1.2)", "give the password, too");
      const made = { name, url, base, filter, bindName, secret: password, domains: words(domains), attributes: attributes ? words(attributes) : ["userCertificate;binary", "userSMIMECertificate", "pgpKey"],
        authoritative, ownAuthorities: authorities !== "", createdAt: now(), answeredAt: 0, answer: "", failedAt: 0, failure: "" };
      site.directories = [...site.directories.filter((one) => one.name !== name), made];
      return made;
    },
    "directory.remove": ({ name }) => { stepped(); known(name); site.directories = site.directories.filter((one) => one.name !== name); return {}; },
    "directory.test": ({ name, address }) => {
      const { domains, authoritative } = known(name);
      const domain = address.split("@")[1];
      if (!domains.includes(domain)) return { place: name, authoritative, outcome: `it does not answer for ${domain}`, keys: [] };
      return { place: name, authoritative, outcome: "1 key found that can be used; another cannot: the certificate has ended",
        keys: [{ fingerprint: "a1".repeat(32), usable: true, reason: "" }, { fingerprint: "b2".repeat(32), usable: false, reason: "the certificate has ended" }] };
    },
    "trust.list": () => ({ items: site.authorities, next: "", fromSettings: site.authoritiesFromSettings }),
    "trust.add": ({ certificate, preview }) => {
      stepped();
      if (!certificate.includes("BEGIN CERTIFICATE") && !certificate.startsWith("MII")) throw new Refused("invalid", "this is no certificate", "give the certificate of the authority");
      const made = authorityOf("/O=St Elmo Hospital Trust with a long name/OU=Information security/CN=St Elmo Mail CA 2026", "c3".slice(0, 1));
      if (!preview) site.authorities.push(made);
      return { ...made, effect: { gained: 12, lost: 3 }, done: !preview };
    },
    "trust.remove": ({ fingerprint, preview, last }) => {
      stepped();
      const found = site.authorities.find((one) => one.fingerprint === fingerprint);
      if (!found) throw new Refused("not-found", `there is no authority ${fingerprint}`, "see: postern trust list; those of the settings stand in files");
      if (!preview && !last && site.authorities.length === 1 && !site.authoritiesFromSettings)
        throw new Refused("refused", `${found.subject} is the last authority: without any, certificates count as whoever imports them says`, "add another one first, or say that this is wanted: --last");
      if (!preview) site.authorities = site.authorities.filter((one) => one !== found);
      return { ...found, effect: { gained: 0, lost: 1 }, done: !preview };
    },
  };
}
