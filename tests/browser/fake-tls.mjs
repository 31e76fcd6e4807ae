// The orders about the TLS of domains, as listd answers them: one domain that is verified, one that is not.
const micros = (days = 0) => (Date.now() + days * 86_400_000) * 1000;

const host = (more) => ({ name: "mx1.clinic.example", preference: 10, port: 25, address: "192.0.2.10", problem: "", startTls: true,
  requireTls: true, version: "TLSv1.3", cipher: "TLS_AES_256_GCM_SHA384", expected: ["mx1.clinic.example"], chain: "ok",
  certificate: { subject: "/CN=mx1.clinic.example", issuer: "/O=Example Trust/CN=Example CA", notBeforeAt: micros(-30), notAfterAt: micros(60), names: ["mx1.clinic.example", "mx2.clinic.example"] },
  tlsa: [], dane: "not signed", sts: "ok", means: "mta-sts", ...more });

const good = (domain) => ({ domain, at: micros(), means: "mta-sts", sentence: "", route: "", problem: "", mxSecure: false,
  sts: { id: "20261101T1", mode: "enforce", maxAge: 604800, mx: ["mx1.clinic.example", "mx2.clinic.example"], problem: "" },
  hosts: [host({}), host({ name: "mx2.clinic.example", preference: 20, address: "2001:db8::25" })] });

const bad = (domain) => ({ domain, at: micros(), means: "none", sentence: "", route: "", problem: "", mxSecure: true,
  sts: { id: "", mode: "", maxAge: 0, mx: [], problem: "" },
  hosts: [host({ name: "mail.plain.example", startTls: false, requireTls: false, version: "", cipher: "", chain: "", dane: "none", sts: "none", means: "none",
    certificate: { subject: "", issuer: "", notBeforeAt: 0, notAfterAt: 0, names: [] } }),
  host({ name: "backup.plain.example", address: "", problem: "the mail server backup.plain.example of the domain has no address", means: "none" })] });

const report = (id, organization, failed) => ({ id, receivedAt: micros(-id), mailFrom: `noreply@${organization.toLowerCase()}.example`, organization,
  contact: `tls@${organization.toLowerCase()}.example`, reportId: `2026-${id}.lists.example`, beginAt: micros(-id - 1), endAt: micros(-id), successful: 5326, failed });

const reportDays = (site) => !site.tls.reports.length ? [] : [...Array(20).keys()].map((i) => ({ at: micros(-i - 1), domain: "lists.example", successful: 4000 + 137 * i, failed: i === 3 ? 303 : 0 }));

export function tlsOrders(site, Refused) {
  site.tls ??= { marks: [], probes: new Map(), reports: [report(2, "Example-Mail", 0), report(3, "Clinic", 303)] };  // probes: domain -> how often it is still shown as running
  const { probes } = site.tls;
  const mark = (word) => ({ domain, reason }) => {
    if (!reason) throw new Refused("usage", "the argument reason is missing", "");
    const made = { domain, mark: word, reason, setAt: micros(), setBy: "ada" };
    site.tls.marks = [...site.tls.marks.filter((one) => one.domain !== domain), made];
    probes.delete(domain);
    return made;
  };
  const check = (domain) => {
    if (!/^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(domain)) throw new Refused("invalid", `"${domain}" is no domain`, "give one as in example.org");
  };
  return {
    "tlsrpt.days": () => ({ items: reportDays(site), next: "", contact: site.tls.contact ?? "", records: [{ domain: "lists.example", address: "tlsrpt@lists.example",
      name: "_smtp._tls.lists.example", record: "v=TLSRPTv1; rua=mailto:tlsrpt@lists.example" }] }),
    "tlsrpt.list": () => ({ items: site.tls.reports, next: "" }),
    "tlsrpt.show": ({ id }) => {
      const report = site.tls.reports.find((one) => one.id === Number(id));
      if (!report) throw new Refused("not-found", `there is no TLS report ${id}`, "see: postern tlsrpt list");
      return { ...report, policies: [{ domain: "lists.example", type: "sts", successful: 5326, failed: 303, failures: [
        { type: "certificate-expired", sessions: 300, sendingAddress: "2001:db8:abcd:12::1", receivingHost: "mx1.lists.example", receivingAddress: "192.0.2.25", reason: "certificate has expired" },
        { type: "starttls-not-supported", sessions: 3, sendingAddress: "198.51.100.62", receivingHost: "mx2.lists.example", receivingAddress: "", reason: "" }] }] };
    },
    "domain.marks": () => ({ items: site.tls.marks, next: "" }),
    "domain.trust": mark("trusted"),
    "domain.distrust": mark("distrusted"),
    "domain.unmark": ({ domain }) => { site.tls.marks = site.tls.marks.filter((one) => one.domain !== domain); return {}; },
    "probe.start": ({ domain }) => { check(domain); probes.set(domain, 2); return { domain }; },
    "probe.show": ({ domain }) => {
      check(domain);
      const left = probes.get(domain);
      const running = left > 0;
      if (running) probes.set(domain, left - 1);
      const done = left === 0;
      const probe = !done ? null : domain === "plain.example" ? bad(domain) : good(domain);
      const sentence = probe?.means === "none" ? `Mail to ${domain} cannot be sent over verified TLS: mail.plain.example does not offer STARTTLS.`
        : `Mail to ${domain} can be sent over verified TLS: its MTA-STS policy names its servers, and their certificates are trusted.`;
      return { domain, running, progress: running ? "1 of 2 mail servers were asked." : "", probe,
        known: done ? { means: probe.means, checkedAt: micros(), problem: "", sentence } : null,
        mark: site.tls.marks.find((one) => one.domain === domain) ?? null,
        lastDelivery: done ? { at: micros(-1), outcome: "delivered", host: "mx1.clinic.example", version: "TLSv1.3", verification: "mta-sts", reply: "2.0.0 Ok: queued" } : null };
    },
  };
}
