// A listd that keeps its site in memory: answers orders over the local socket with realistic data, so that every
// state of the UI can be shown. Frames: 4-byte big-endian length, then JSON (core/net/LocalSocket.h, core/app/Orders.h).
import { createHmac, createHash, randomBytes } from "node:crypto";
import { createServer } from "node:net";
import { rmSync } from "node:fs";
import { addRecords, recordRules } from "./fake-records.mjs";
import { keyOrders, waits } from "./fake-keys.mjs";
import { quarantineOrders } from "./fake-quarantine.mjs";
import { dkimOrders } from "./fake-dkim.mjs";
import { subscriptionOrders } from "./fake-subscription.mjs";
import { hostnameOrders } from "./fake-hostnames.mjs";
import { policyOrders } from "./fake-policies.mjs";
import { queueOrders } from "./fake-queue.mjs";
import { relayOrders } from "./fake-relays.mjs";
import { webhookOrders } from "./fake-webhooks.mjs";
import { directoryOrders } from "./fake-directories.mjs";
import { mailOrders } from "./fake-mail.mjs";
import { tlsOrders } from "./fake-tls.mjs";
import { checkOf, deliveryOrders, journeyOf } from "./fake-delivery.mjs";

const minute = 60_000_000;
const day = 24 * 60 * minute;
const nowMicros = () => Date.now() * 1000;

export class Refused extends Error {
  constructor(code, message, hint = "") {
    super(message);
    this.code = code;
    this.hint = hint;
  }
}

const base32 = (bytes) => {
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
  let bits = "";
  for (const byte of bytes) bits += byte.toString(2).padStart(8, "0");
  return bits.match(/.{1,5}/g).map((five) => letters[parseInt(five.padEnd(5, "0"), 2)]).join("");
};

const fromBase32 = (text) => {
  const bits = [...text].map((c) => "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567".indexOf(c).toString(2).padStart(5, "0")).join("");
  return Buffer.from(bits.match(/.{8}/g).map((eight) => parseInt(eight, 2)));
};

// RFC 6238 with its usual values: SHA-1, 30 seconds, 6 digits.
export const totp = (secret, at = Date.now()) => {
  const counter = Buffer.alloc(8);
  counter.writeBigUInt64BE(BigInt(Math.floor(at / 30000)));
  const mac = createHmac("sha1", fromBase32(secret)).update(counter).digest();
  const offset = mac[19] & 15;
  return String((mac.readUInt32BE(offset) & 0x7fffffff) % 1_000_000).padStart(6, "0");
};

// The code of now, or of the step before: people and tests type while the step ends.
const isCode = (secret, code) => [0, 30_000].some((ago) => code.replace(" ", "") === totp(secret, Date.now() - ago));

const fingerprintOf = (text) => createHash("sha256").update(text).digest("hex");

const names = ["Amelia Novak", "Benedikt Sommer", "Chiara Lombardi", "David Okafor", "Elena Petrova", "Farid Haddad",
  "Greta Lindqvist", "Hugo Martins", "Ines Carvalho", "Jonas Weber", "Karin Aalto", "Luca Moretti", "Miriam Cohen",
  "Nikolai Volkov", "Olivia Grant", "Pavel Dvorak", "Quentin Roche", "Rosa Jimenez", "Samuel Adeyemi", "Tove Nilsen"];

function makeKey(address, kind, state, reason, endsIn) {
  const ec = kind === "ec";
  return {
    fingerprint: fingerprintOf(address + kind + state), address, kind: "smime", algorithm: ec ? "EC P-256" : "RSA",
    bits: ec ? 256 : 2048, subject: `CN=${address}, O=St. Elmo Hospital`, issuer: "CN=St. Elmo Hospital Mail CA",
    notBeforeAt: nowMicros() - 300 * day, notAfterAt: nowMicros() + endsIn * day, state, reason,
    checkedAt: nowMicros() - day / 4, issuerSays: state === "confirmed" ? "good" : "", issuerDetail: "",
  };
}

function fillMembers(site, list, count, host, withheldEvery) {
  for (let i = 0; i < count; ++i) {
    const person = names[i % names.length];
    const address = person.toLowerCase().replace(" ", ".") + (i < names.length ? "" : String(Math.floor(i / names.length))) + "@" + host;
    const withheld = list.secure && withheldEvery && i % withheldEvery === withheldEvery - 1;
    const reasons = ["no-key", "certificate-expired", "key-unconfirmed"];
    const reason = withheld ? reasons[Math.floor(i / withheldEvery) % 3] : list.secure ? "valid-certificate" : "open-list";
    if (!site.keys.some((key) => key.address === address)) {
      if (!withheld && list.secure) site.keys.push(makeKey(address, i % 3 ? "rsa" : "ec", "confirmed", "valid-certificate", 20 + i * 11));
      if (reason === "certificate-expired") site.keys.push(makeKey(address, "rsa", "expired", reason, -12));
      if (reason === "key-unconfirmed") site.keys.push(makeKey(address, "rsa", "proposed", reason, 500));
    }
    site.members.push({
      list: list.address, address, name: person, role: i === 0 ? "owner" : "member", state: i === 7 ? "disabled" : "enabled",
      joinedAt: nowMicros() - (400 - i) * day, protection: withheld ? "withheld" : list.secure ? "smime" : "none", reason,
    });
  }
}

const tls = (verification, peerName = "") =>
  ({ version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", bits: 256, verification, peerName });

function fillPosts(site) {
  for (let i = 0; i < 14; ++i) {
    const list = i % 4 === 3 ? site.lists[1] : site.lists[i % 5 === 2 ? 2 : 0];
    const at = nowMicros() - (i * 47 + 4) * minute;
    const members = site.members.filter((member) => member.list === list.address && member.state === "enabled");
    const recipients = members.map((member, index) => {
      const withheld = member.protection === "withheld";
      const deferred = !withheld && i === 0 && index === 2;
      const host = member.address.split("@")[1];
      const attempt = (outcome, wait, code, text) => ({
        at: at + wait * 1_000_000, outcome, remoteHost: "mx1." + host, remoteAddress: "198.51.100.25", replyCode: code,
        replyText: text, tls: tls("verified", "mx1." + host),
      });
      return {
        address: member.address, protection: member.protection, reason: member.reason,
        keyFingerprint: member.protection === "smime" ? fingerprintOf(member.address) : "",
        state: deferred ? "deferred" : "delivered", deliveredAt: deferred ? 0 : at + (2 + index) * 1_000_000,
        attempts: deferred
          ? [attempt("deferred", 2, 451, "4.7.1 Greylisted, please come back later"), attempt("deferred", 62, 450, "4.2.0 Mailbox busy <script>alert(1)</script>")]
          : [attempt("delivered", 2 + index, 250, "2.0.0 Ok: queued as 4F2A1B" + index)],
      };
    });
    const count = (state) => recipients.filter((one) => one.state === state && one.protection !== "withheld").length;
    site.posts.push({
      id: String(4200 - i), list: list.address, messageId: `<20260301.${4200 - i}.a7f3@mail.st-elmo.example>`,
      queueId: "Q" + fingerprintOf("q" + i).slice(0, 10).toUpperCase(), receivedAt: at, size: 18_400 + i * 7321,
      recipients: recipients.length, delivered: count("delivered"), deferred: count("deferred"), failed: 0,
      withheld: recipients.filter((one) => one.protection === "withheld").length,
      trace: {
        class: list.class, state: i === 0 ? "sent" : "done",
        client: { address: "192.0.2.17", name: "mail.st-elmo.example", tls: tls("verified", "mail.st-elmo.example"),
          senderProven: "yes", senderCheck: "st-elmo.example is proven by its signature (DKIM)" },
        recipients,
      },
    });
  }
}

export function makeSite({ empty = false, account = true } = {}) {
  const site = {
    hostName: "postern.st-elmo.example", domains: [], lists: [], members: [], keys: [], posts: [], accounts: [], queue: [],
    setupToken: "s3tup-" + randomBytes(12).toString("hex"), setupSecret: base32(randomBytes(20)), orders: [], problems: [],
    acceptedExtra: 0, sessions: new Map(), down: false, plaintextOnSecure: 0,
  };
  if (account) {
    site.secret = base32(randomBytes(20));
    site.accounts.push({ name: "ada", role: "admin", password: "correct horse battery", createdAt: nowMicros() - 30 * day });
  }
  addRecords(site);
  if (!account) site.accounts = [];
  if (empty) {
    for (const part of ["rules", "matters", "holds", "requests", "reviews", "runs"]) site[part] = [];
    return site;
  }
  site.domains.push({ name: "lists.st-elmo.example", kind: "list", createdAt: nowMicros() - 400 * day, lists: 3 });
  const addList = (name, secure, description, listClass) =>
    site.lists.push({ address: name + "@lists.st-elmo.example", name, domain: "lists.st-elmo.example", secure, class: listClass,
      description, state: "open", posting: "members", createdAt: nowMicros() - 390 * day,
      signingCertificate: { fingerprint: fingerprintOf(name), notAfterAt: nowMicros() + 412 * day } });
  addList("board", true, "Board of directors", "high");
  addList("social", false, "Canteen, parties, lost and found", "low");
  addList("tumour-board", true, "Weekly case conference, all sites", "high");
  fillMembers(site, site.lists[0], 14, "st-elmo.example", 5);
  fillMembers(site, site.lists[1], 12, "st-elmo.example", 0);
  fillMembers(site, site.lists[2], 126, "clinics.example", 9);
  fillPosts(site);
  const trace = "0af7651916cd43dd8448eb211c80319c";
  site.queue = [1, 2, 3].map((i) => ({
    id: String(9000 + i), list: site.lists[0].address, recipient: site.members[i].address, destination: "st-elmo.example",
    priority: "bulk", kind: "content", protection: i === 2 ? "tls" : "smime", floor: "tls", via: "", post: 4200, trace: i < 3 ? trace : "",
    expiresAt: nowMicros() + 3000 * minute,
    state: i === 3 ? "held" : "waiting", attempts: i, queuedAt: nowMicros() - i * 37 * minute,
    nextAttemptAt: nowMicros() + i * 9 * minute, lastReply: i === 3 ? "" : "451 4.7.1 Greylisted, please come back later",
  }));
  return site;
}

const listView = (site, list) => {
  const members = site.members.filter((member) => member.list === list.address);
  const withheld = members.filter((member) => member.protection === "withheld").length;
  return { ...list, members: members.length, readiness: { ready: members.length - withheld, withheld, total: members.length } };
};

const find = (items, field, value, what) => {
  const item = items.find((one) => one[field] === value);
  if (!item) throw new Refused("not-found", `There is no ${what} ${value}.`, `See what there is with \`postern ${what} list\`.`);
  return item;
};

function flow(site, minutes) {
  const end = Math.floor(nowMicros() / minute) * minute;
  const items = [];
  for (let i = minutes - 1; i >= 0; --i) {
    const at = end - i * minute;
    const wave = Math.max(0, Math.sin(at / minute / 9) * 14 + 16 + ((at / minute) * 7919) % 9);
    const accepted = site.lists.length ? Math.round(wave) + (i === 0 ? site.acceptedExtra : 0) : 0;
    items.push({ at, accepted, refused: accepted ? ((at / minute) * 31) % 7 > 4 ? 3 : 1 : 0, delivered: accepted * 9,
      deferred: accepted ? ((at / minute) * 17) % 11 : 0, failed: accepted && (at / minute) % 23 === 0 ? 4 : 0 });
  }
  const refusals = site.lists.length
    ? [["unknown-recipient", 61], ["secure-tag", 14], ["relay", 9], ["bare-line-end", 3], ["size", 1]].map(([reason, count]) => ({ reason, count }))
    : [];
  return { items, refusals };
}

// A disk of 500 GB that has filled by 1.9 GB a day for 40 days; a new site has been looked at once.
function diskOf(busy) {
  const today = Math.floor(Date.now() / 86_400_000);
  const looks = busy ? 40 : 1;
  const days = Array.from({ length: looks }, (_, i) => ({
    at: (today - looks + 1 + i) * day, usedBytes: 180_000_000_000 + i * 1_900_000_000 + (i % 5) * 200_000_000, stored: busy ? 812_000 + i * 2100 : 0 }));
  return { usedBytes: days.at(-1).usedBytes, totalBytes: 500_000_000_000, reserveBytes: 1_000_000_000, forecast: busy ? "grows" : "learning",
    growthPerDay: busy ? 1_900_000_000 : 0, fullAt: busy ? (today + 128) * day : 0, days };
}

function status(site) {
  const busy = site.lists.length > 0;
  return {
    hostName: site.hostName, version: "0.1.0", startedAt: nowMicros() - 3 * day,
    gateway: { connected: true, sessions: busy ? 12 : 0, acceptedTotal: 81234, refusedTotal: 912, deliveredTotal: 712345,
      deferredTotal: 431, waitingAccepted: 0, queued: site.queue.length, held: site.queue.filter((c) => c.state === "held").length,
      freeBytes: 81_400_000_000, oldestQueuedAt: site.queue.length ? Math.min(...site.queue.map((c) => c.queuedAt)) : 0 },
    lists: site.lists.length, members: site.members.length,
    today: busy
      ? { accepted: 1204 + site.acceptedExtra, refused: 88, posts: 214, delivered: 10_934, deferred: 61, failed: 4, withheld: 37 }
      : { accepted: 0, refused: 0, posts: 0, delivered: 0, deferred: 0, failed: 0, withheld: 0 },
    deliveries: busy ? { smime: 41_206, openpgp: 0, tls: 0, pickup: 0, none: 8_112, withheld: 37 } : {},
    protection: busy ? { smime: 9310, openpgp: 0, tls: 0, pickup: 0, none: 1587, withheld: 37 } : {},
    plaintextOnSecure: site.plaintextOnSecure, disk: diskOf(busy), problems: site.problems,
  };
}

function setKey(site, fingerprint, state, protection, reason) {
  const key = Object.assign(find(site.keys, "fingerprint", fingerprint, "key"), { state, reason });
  for (const member of site.members) if (member.address === key.address) Object.assign(member, { protection, reason });
  return key;
}

const rules = (site, actor) => ({
  ...recordRules(site, Refused, find, actor),
  status: () => status(site),
  health: () => ({ ready: true, reasons: [] }),
  metrics: () => ({ families: {} }),
  flow: ({ minutes }) => flow(site, minutes),
  "domain.list": () => ({ items: site.domains }),
  "list.list": () => ({ items: site.lists.map((list) => listView(site, list)), next: "" }),
  "list.show": ({ address }) => listView(site, find(site.lists, "address", address, "list")),
  "list.create": ({ address, secure, description, class: listClass }) => {
    if (!/^[a-z0-9-]+@[a-z0-9.-]+$/.test(address)) throw new Refused("invalid", `${address} is not an address for a list.`, "Use letters, digits and hyphens.");
    if (site.lists.some((list) => list.address === address)) throw new Refused("exists", `There is a list ${address} already.`, "Choose another name.");
    const list = { address, name: address.split("@")[0], secure, class: listClass, description, state: "open", posting: "members",
      createdAt: nowMicros(), signingCertificate: { fingerprint: fingerprintOf(address), notAfterAt: nowMicros() + 730 * day } };
    site.lists.push(list);
    return listView(site, list);
  },
  "list.set": ({ address, ...change }) => {
    if (change.displayName?.includes("\t")) throw new Refused("invalid", "\"displayName\" holds a control character", "leave it out");
    return listView(site, Object.assign(find(site.lists, "address", address, "list"), change));
  },
  "list.close": ({ address }) => listView(site, Object.assign(find(site.lists, "address", address, "list"), { state: "closed" })),
  "list.readiness": ({ address }) => {
    const members = site.members.filter((member) => member.list === address);
    const by = (field, from) => Object.entries(from.reduce((sum, one) => ({ ...sum, [one[field]]: (sum[one[field]] ?? 0) + 1 }), {}));
    const withheld = members.filter((member) => member.protection === "withheld");
    return { total: members.length, items: by("protection", members).map(([protection, count]) => ({ protection, count })),
      withheld: by("reason", withheld).map(([reason, count]) => ({ reason, count })) };
  },
  "member.list": ({ list, limit, after, filter }) => {
    find(site.lists, "address", list, "list");
    const all = site.members.filter((member) => member.list === list);
    const rest = all.filter((member) => (!after || member.address > after) && (!filter || member.address.startsWith(filter)))
      .sort((a, b) => (a.address < b.address ? -1 : 1));
    const items = rest.slice(0, limit).map((member) => {
      const key = site.keys.find((one) => one.address === member.address);
      return { ...member, key: key ? { fingerprint: key.fingerprint, kind: key.kind, notAfterAt: key.notAfterAt, state: key.state } : null };
    });
    return { items, next: rest.length > limit ? items.at(-1).address : "", total: all.length };
  },
  "member.add": ({ list, address, name }) => {
    const stored = find(site.lists, "address", list, "list");
    if (site.members.some((member) => member.list === list && member.address === address)) throw new Refused("exists", `${address} is a member already.`, "Nothing was changed.");
    const member = { list, address, name, role: "member", state: "enabled", joinedAt: nowMicros(),
      protection: stored.secure ? "withheld" : "none", reason: stored.secure ? "no-key" : "open-list" };
    site.members.push(member);
    return member;
  },
  "member.set": ({ list, address, state }) => {
    const member = find(site.members.filter((one) => one.list === list), "address", address, "member");
    member.state = state;
    return member;
  },
  "member.remove": ({ list, address }) => {
    find(site.members.filter((one) => one.list === list), "address", address, "member");
    site.members = site.members.filter((one) => one.list !== list || one.address !== address);
    return {};
  },
  "key.confirm": ({ fingerprint, address }) => waits(site, fingerprint) ? site.decideKey({ fingerprint, address }) : setKey(site, fingerprint, "confirmed", "smime", "valid-certificate"),
  "key.revoke": ({ fingerprint }) => setKey(site, fingerprint, "revoked", "withheld", "revoked"),
  "key.import": ({ address, certificate }) => {
    if (!certificate.includes("-----BEGIN CERTIFICATE-----") && !/^MII/.test(certificate)) throw new Refused("invalid", "This is no certificate.", "Give an X.509 certificate as PEM or DER, without a private key.");
    const key = makeKey(address, "rsa", "confirmed", "valid-certificate", 700);
    site.keys = site.keys.filter((one) => one.address !== address).concat(key);
    for (const member of site.members) if (member.address === address) Object.assign(member, { protection: "smime", reason: "valid-certificate" });
    return key;
  },
  "key.list": ({ address }) => ({ items: site.keys.filter((key) => !address || key.address === address), next: "" }),
  ...tlsOrders(site, Refused),
  ...keyOrders(site, Refused),
  ...dkimOrders(site, Refused),
  ...subscriptionOrders(site, Refused),
  "member.import": ({ csv, dryRun }) => ({ added: 1, skipped: 0, withheld: 1, failed: 1, errors: [], dryRun,
    rows: csv.trim().split("\n").map((line, i) => line.includes("@")
      ? { line: i + 1, address: line.split(",")[0], outcome: "added-without-copies", detail: "no-key" }
      : { line: i + 1, address: line, outcome: "bad-address", detail: `"${line}" is not a mail address` }) }),
  ...policyOrders(site, Refused),
  ...relayOrders(site, Refused),
  ...webhookOrders(site, Refused),
  ...hostnameOrders(site, Refused),
  ...directoryOrders(site, Refused),
  ...quarantineOrders(site, Refused),
  ...mailOrders(site, Refused),
  ...deliveryOrders(site, Refused),
  ...queueOrders(site, Refused),
  "post.list": ({ list, limit }) => ({ items: site.posts.filter((post) => !list || post.list === list).slice(0, limit).map(({ trace, ...post }) => post), next: "" }),
  trace: ({ id }) => {
    const post = site.posts.find((one) => [one.id, one.queueId, one.messageId].includes(id));
    if (!post) throw new Refused("not-found", `There is no post ${id}.`, "Give a Message-ID, a queue id or a post id.");
    const { trace, ...rest } = post;
    return { post: { ...rest, class: trace.class, state: trace.state, client: trace.client, journey: journeyOf(post), senderCheck: checkOf(post) }, recipients: trace.recipients };
  },
  "user.setup-check": ({ token }) => {
    if (token !== site.setupToken || site.accounts.length) throw new Refused("refused", "This set-up link was used, or it is too old.", "");
    return { secret: site.setupSecret, shortestPassword: 8, otpauth: `otpauth://totp/Postern:${site.hostName}?secret=${site.setupSecret}&issuer=Postern` };
  },
  "user.setup": ({ token, name, password, totp: code }) => {
    rules(site)["user.setup-check"]({ token });
    if (password.length < 8) throw new Refused("invalid", "the password is too short", "use at least 8 characters; a sentence is good");
    if (password === "password1234") throw new Refused("invalid", "this password is one of the common ones, which attackers try first", "choose another");
    if (!isCode(site.setupSecret, code)) throw new Refused("invalid", "The code is not right.", "Look at the app again: a code is good for 30 seconds. The clock of the phone must be right.");
    site.secret = site.setupSecret;
    site.accounts.push({ name, role: "admin", password, createdAt: nowMicros() });
    return { name, role: "admin", createdAt: nowMicros() };
  },
  "user.authenticate": ({ name, password }) => {
    const account = site.accounts.find((one) => one.name === name);
    if (!account || account.password !== password)
      throw new Refused("refused", "Name, password or code is not right.", "Each code works once and for 30 seconds.");
    const ticket = `ticket-of-${name}`;
    return { ticket, factors: ["totp", "recovery-code"], expiresAt: nowMicros() + 300e6 };
  },
  "user.factor": ({ ticket, totp: code = "", agent = "" }) => {
    const account = site.accounts.find((one) => `ticket-of-${one.name}` === ticket);
    if (!account || !isCode(site.secret, code))
      throw new Refused("refused", "Name, password or code is not right.", "Each code works once and for 30 seconds.");
    const secret = randomBytes(32).toString("base64url");
    const ref = randomBytes(8).toString("hex");
    site.sessions.set(secret, { ref, account: account.name, client: "127.0.0.1", agent, createdAt: nowMicros(), lastSeenAt: nowMicros() });
    return { name: account.name, role: account.role, roles: account.roles ?? [account.role], createdAt: account.createdAt, session: { secret, ref } };
  },
  "session.show": () => {
    const session = site.sessions.get(actor.token);
    const account = site.accounts.find((one) => one.name === session?.account);
    if (!account) throw new Refused("signed-out", "Nobody is signed in here.", "Sign in again.");
    return { kind: "account", ...session, roles: account.roles ?? [account.role], idleSeconds: 900 };
  },
  "session.list": ({ all }) => {
    const own = site.sessions.get(actor.token);
    return { items: [...site.sessions.values()].filter((one) => all || one.account === own.account)
      .map((one) => ({ ...one, own: one.ref === own.ref })), next: "" };
  },
  "session.end": ({ name, ref }) => {
    const own = site.sessions.get(actor.token);
    let ended = 0;
    for (const [secret, one] of site.sessions) {
      if (one.account !== (name ?? own.account) || (ref ? one.ref !== ref : one.ref === own.ref)) continue;
      site.sessions.delete(secret);
      ++ended;
    }
    return { name: name ?? own.account, ended };
  },
  "session.step-up": ({ password, totp: code = "" }) => {
    if (!site.accounts.some((one) => one.password === password) || !isCode(site.secret, code))
      throw new Refused("refused", "Password or code is not right.", "");
    site.steppedUp = true;
    return { until: nowMicros() + 300e6 };
  },
});

export function startFakeListd(path, site) {
  const answer = (frame) => {
    const { order, actor, args } = JSON.parse(frame);
    site.orders.push({ order, actor, args });
    try {
      if (actor.kind === "api") {
        actor.name = site.tokens?.[actor.token];
        if (!actor.name) throw new Refused("signed-out", "This token is not known, too old, or was ended.", "Make one under your account.");
      }
      if (actor.kind === "web") {
        actor.name = site.sessions.get(actor.token)?.account;
        if (!actor.name) throw new Refused("signed-out", "Nobody is signed in here.", "Sign in again.");
      }
      const rule = rules(site, actor)[order];
      if (!rule) throw new Refused("usage", `There is no order ${order}.`);
      return { ok: true, result: rule(args ?? {}) };
    } catch (error) {
      if (!(error instanceof Refused)) return { ok: false, error: { code: "broken", message: String(error), hint: "" } };
      return { ok: false, error: { code: error.code, message: error.message, hint: error.hint } };
    }
  };
  const server = createServer((socket) => {
    let waiting = Buffer.alloc(0);
    socket.on("error", () => {});
    socket.on("data", (bytes) => {
      if (site.down) return socket.destroy();
      waiting = Buffer.concat([waiting, bytes]);
      while (waiting.length >= 4 && waiting.length >= 4 + waiting.readUInt32BE(0)) {
        const length = waiting.readUInt32BE(0);
        const reply = Buffer.from(JSON.stringify(answer(waiting.subarray(4, 4 + length).toString())));
        const head = Buffer.alloc(4);
        head.writeUInt32BE(reply.length);
        socket.write(Buffer.concat([head, reply]));
        waiting = waiting.subarray(4 + length);
      }
    });
  });
  rmSync(path, { force: true });
  return new Promise((resolve) => server.listen(path, () => resolve(server)));
}
