-- Protection: the ladder of lists and domains, wishes of members, what is known of domains' TLS.

-- Written by postern-listd: what the gateway found out about the TLS of recipients' domains, by asking their servers or in
-- deliveries (core/app/DomainTls.h). report: the last whole probe as JSON, empty while there was none.
CREATE TABLE domain_tls (
  domain     TEXT   NOT NULL PRIMARY KEY,
  means      TEXT   NOT NULL CHECK (means IN ('none', 'pkix', 'mta-sts', 'dane')),
  checked_at BIGINT NOT NULL,
  problem    TEXT   NOT NULL,
  report     TEXT   NOT NULL DEFAULT ''
) WITHOUT ROWID;

-- Written by postern-listd: what the site says of domains' TLS, whatever the gateway found out. trusted: a certificate that
-- is valid for the name of the MX host is enough; distrusted: TLS does not count as a protection.
CREATE TABLE domain_marks (
  domain TEXT   NOT NULL PRIMARY KEY,
  mark   TEXT   NOT NULL CHECK (mark IN ('trusted', 'distrusted')),
  reason TEXT   NOT NULL,
  set_at BIGINT NOT NULL,
  set_by TEXT   NOT NULL
) WITHOUT ROWID;
