// The order report.delivery as listd answers it, and how posts came: what their Received fields and signatures say.
const columns = ["post", "list", "message id", "queue id", "received", "size", "class", "sent by", "handed over by", "arrival TLS",
  "arrival cipher", "arrival client verified", "way to us", "encrypted to the list", "signature", "signer", "recipient", "protection",
  "reason", "key", "state", "attempts", "next hop", "next hop address", "TLS", "cipher", "TLS verification", "verified name",
  "reply code", "reply", "last attempt", "delivered", "pick-up", "link used", "picked up", "read by", "times read", "available until"];

const iso = (micros) => micros ? new Date(micros / 1000).toISOString().replace(/\.\d+Z$/, "Z") : "";
const hop = (more) => ({ from: "", fromAddress: "", by: "", state: "not-recorded", inside: false, protocol: "", software: "",
  version: "", cipher: "", bits: 0, verification: "", why: "", ...more });

export const journeyOf = (post) => ({
  verdict: "not-recorded",
  sentence: "It is not known whether the message was encrypted on hop 2 (webmail.example to st-elmo.example): the receiving server left no record, which proves neither.",
  hops: [
    hop({ from: "laptop", fromAddress: "10.0.0.7", by: "out.webmail.example", state: "inside-one-provider", inside: true, why: "it came from an address of a private network", at: post.receivedAt - 9e6 }),
    hop({ from: "out.webmail.example", fromAddress: "203.0.113.9", by: "mail.st-elmo.example", why: "its line says nothing of TLS, and not every server that used it says so", at: post.receivedAt - 4e6 }),
    hop({ from: "mail.st-elmo.example", fromAddress: "192.0.2.17", by: "postern.st-elmo.example", state: "recorded-encrypted", protocol: "ESMTPS", software: "Postern", version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", bits: 256, why: "its line names TLSv1.3 and TLS_AES_256_GCM_SHA384", at: post.receivedAt }),
  ],
});

export const checkOf = (post) => Number(post.id) % 3 ? { encryption: "smime", signature: "smime", standing: "good", signer: "ann@st-elmo.example", fingerprint: "ab".repeat(32) }
  : { encryption: "none", signature: "openpgp", standing: "other-signer", signer: "0x1234567890abcdef", fingerprint: "cd".repeat(20) };

function rowOf(post, copy) {
  const withheld = copy.protection === "withheld";
  const last = withheld ? undefined : copy.attempts.at(-1);
  const pickup = copy.protection === "pickup";
  return [Number(post.id), post.list, post.messageId, post.queueId, iso(post.receivedAt), post.size, "high", "ann@st-elmo.example",
    "mail.st-elmo.example [192.0.2.17]", "TLSv1.3", "TLS_AES_256_GCM_SHA384", "none", "not-recorded", "smime", "good", "ann@st-elmo.example",
    copy.address, copy.protection, copy.reason, copy.keyFingerprint, withheld ? "withheld" : copy.state, copy.attempts.length, last?.remoteHost ?? "",
    last?.remoteAddress ?? "", last?.tls.version ?? "", last?.tls.cipher ?? "", last?.tls.verification ?? "", last?.tls.peerName ?? "",
    last?.replyCode ?? "", last?.replyText ?? "", iso(last?.at), withheld ? "" : iso(copy.deliveredAt), pickup ? "waiting" : "", "",
    pickup ? iso(copy.deliveredAt + 3600e6) : "", pickup ? "page" : "", pickup ? 1 : "", ""];
}

export const deliveryOrders = (site, Refused) => ({
  "report.delivery": ({ post = "", recipient = "", list = "", from, until, format = "json", limit = 1000, after = "" }) => {
    if (!post && !recipient && !list) throw new Refused("usage", "say which post, recipient or list the report is about", "as in: postern report delivery --post ID");
    if (post && !site.posts.some((one) => [one.id, one.queueId, one.messageId].includes(post)))
      throw new Refused("not-found", "no post has the Message-ID, queue id or number " + post, "see: postern post list");
    if (from && Number.isNaN(Date.parse(from))) throw new Refused("invalid", "\"from\" is no time", "");
    const posts = site.posts.filter((one) => (!post || [one.id, one.queueId, one.messageId].includes(post)) && (!list || one.list === list));
    const all = posts.flatMap((one) => one.trace.recipients.filter((copy) => !recipient || copy.address === recipient).map((copy) => rowOf(one, copy)));
    const start = Number(after || 0), rows = all.slice(start, start + limit);
    const next = start + limit < all.length ? String(start + limit) : "";
    if (format === "csv") return { name: "delivery", csv: (after ? "" : columns.join(",") + "\r\n") + rows.map((row) => row.join(",") + "\r\n").join(""), next };
    if (format === "html") return { name: "delivery", html: after ? "" : "<!doctype html><html><body><main>", next };
    return { form: "postern-report-v1", name: "delivery", columns, rows, after, next, publicKey: "key", signature: "c2ln",
      posts: posts.filter((one) => !one.trace.recipients.length || rows.some((row) => row[0] === Number(one.id))).map((one) => ({ post: Number(one.id), list: one.list, arrival: { journey: journeyOf(one) } })) };
  },
});
