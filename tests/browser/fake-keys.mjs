// The orders about keys of lists, the work list of keys and mailed key links, as listd answers them.
const day = 86_400_000_000;
const hex = (letter, length) => letter.repeat(length);

export const waits = (site, fingerprint) => site.keyWork?.proposals.some((key) => key.fingerprint === fingerprint);

export function keyOrders(site, Refused) {
  site.listKeys ??= {};
  site.keyWork ??= { proposals: [], withheld: [], ending: [] };
  site.keyLinks ??= {};
  const now = () => Date.now() * 1000;
  const keysOf = (address) => site.listKeys[address] ??= {
    address, published: false, requests: [], former: [],
    smime: { fingerprint: hex("a1", 32), subject: `/CN=${address}`, issuer: `/CN=${address}`, algorithm: "RSA-3072", selfSigned: true,
      notBeforeAt: now(), notAfterAt: now() + 700 * day, chain: [] },
    openpgp: { fingerprint: hex("b2", 20), algorithm: "Ed25519, Curve25519", createdAt: now(), notAfterAt: null },
  };
  const published = (address) => {
    const keys = site.listKeys[address];
    if (!keys?.published) throw new Refused("not-found", "there is no such list, or it does not publish its keys", "");
    return { ...keys, certificate: "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n", openpgpKey: "-----BEGIN PGP PUBLIC KEY BLOCK-----\n", openpgpBinary: "mDMEAA==" };
  };
  const linkOf = (token) => {
    if (!site.keyLinks[token]) throw new Refused("not-found", "this link is not valid", "ask for a new one");
    return site.keyLinks[token];
  };
  site.decideKey = ({ address, fingerprint }) => {
    const before = site.keyWork.proposals.length;
    site.keyWork.proposals = site.keyWork.proposals.filter((key) => key.address !== address || key.fingerprint !== fingerprint);
    if (before === site.keyWork.proposals.length) throw new Refused("not-found", "this key waits no more", "load the page again");
    return {};
  };
  return {
    "list.key-show": ({ address }) => keysOf(address),
    "list.key-request": ({ address }) => { keysOf(address).requests.push({ madeAt: now(), request: "-----BEGIN CERTIFICATE REQUEST-----\nMIIC\n-----END CERTIFICATE REQUEST-----\n" }); return {}; },
    "list.key-import": ({ address, certificate }) => {
      const keys = keysOf(address);
      if (!certificate.includes("CERTIFICATE")) throw new Refused("invalid", "this is no certificate", "give what the CA sent, as PEM, DER or p7b");
      keys.former.push({ kind: "smime", fingerprint: keys.smime.fingerprint, endsAt: now() + 30 * day });
      keys.smime = { ...keys.smime, fingerprint: hex("c3", 32), issuer: "/O=St Elmo/CN=Mail CA", selfSigned: false, chain: [{ subject: "/O=St Elmo/CN=Mail CA" }] };
      keys.requests = [];
      return keys;
    },
    "list.key-rotate": ({ address, kind }) => {
      const keys = keysOf(address);
      keys.former.push({ kind, fingerprint: keys[kind].fingerprint, endsAt: now() + 30 * day });
      keys[kind] = { ...keys[kind], fingerprint: hex("d4", kind === "smime" ? 32 : 20) };
      return keys;
    },
    "list.key-publish": ({ address, publish }) => { keysOf(address).published = publish === "yes"; return keysOf(address); },
    "list.key-export": () => ({ text: "-----BEGIN CERTIFICATE-----\nMII=\n-----END CERTIFICATE-----\n" }),
    "list.key-public": ({ address }) => published(address),
    "key.work": () => ({ ...site.keyWork, counts: Object.fromEntries(Object.entries(site.keyWork).map(([name, rows]) => [name, rows.length])) }),
    "key.refuse": (args) => site.decideKey(args),
    "key.link-ask": () => ({ asked: true }),
    "key.link-show": ({ token }) => linkOf(token),
    "key.link-use": ({ token, certificate }) => {
      const link = linkOf(token);
      if (link.purpose === "upload" && !certificate) throw new Refused("invalid", "no key was given", "choose a file, or paste the text of the key");
      if (link.purpose === "upload" && certificate.includes("PRIVATE")) throw new Refused("invalid", "this is a private key", "give your public key or certificate only");
      delete site.keyLinks[token];
      return { state: link.purpose === "upload" ? "confirmed" : "proposed", fingerprint: hex("e5", 20), address: link.address };
    },
  };
}
