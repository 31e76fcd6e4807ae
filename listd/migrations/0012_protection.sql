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

-- Written by postern-listd: how the last delivery attempt to a domain ended.
CREATE TABLE domain_deliveries (
  domain       TEXT   NOT NULL PRIMARY KEY,
  at           BIGINT NOT NULL,
  outcome      TEXT   NOT NULL,
  host         TEXT   NOT NULL,
  tls_version  TEXT   NOT NULL,
  verification TEXT   NOT NULL,
  reply        TEXT   NOT NULL
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

-- The ladder. floor: the weakest protection that a copy may have; rungs: what is tried, in this order, with commas
-- between ('smime,openpgp,tls,pickup'); tls_minutes: how long a copy may wait for verified TLS before it is planned anew.
-- Empty, or -1 minutes: a list does as its domain says, a domain as Postern does (listd/plan/LadderRules.h).
ALTER TABLE lists ADD COLUMN floor TEXT NOT NULL DEFAULT '';
ALTER TABLE lists ADD COLUMN rungs TEXT NOT NULL DEFAULT '';
ALTER TABLE lists ADD COLUMN tls_minutes INTEGER NOT NULL DEFAULT -1;
ALTER TABLE lists ADD COLUMN fresh_keys INTEGER NOT NULL DEFAULT 0;
ALTER TABLE lists ADD COLUMN mail_plan INTEGER NOT NULL DEFAULT 0;
ALTER TABLE domains ADD COLUMN floor TEXT NOT NULL DEFAULT '';
ALTER TABLE domains ADD COLUMN rungs_low TEXT NOT NULL DEFAULT '';
ALTER TABLE domains ADD COLUMN rungs_moderate TEXT NOT NULL DEFAULT '';
ALTER TABLE domains ADD COLUMN rungs_high TEXT NOT NULL DEFAULT '';
ALTER TABLE domains ADD COLUMN tls_minutes INTEGER NOT NULL DEFAULT -1;

-- The list's OpenPGP key, beside its certificate; the private half is in keys.db. Empty: not made yet.
ALTER TABLE lists ADD COLUMN openpgp_key BLOB NOT NULL DEFAULT x'';
ALTER TABLE lists ADD COLUMN openpgp_fingerprint TEXT NOT NULL DEFAULT '';

-- wish: the weakest protection that the member wants, or empty; it only ever strengthens. domain: behind the last '@'.
ALTER TABLE members ADD COLUMN wish TEXT NOT NULL DEFAULT '';
ALTER TABLE members ADD COLUMN domain TEXT GENERATED ALWAYS AS
  (replace(address, rtrim(address, replace(address, '@', '')), '')) VIRTUAL;
CREATE INDEX members_by_domain ON members (domain, id);
-- Answers the pages of a fan-out plan: the members who are reached alike.
CREATE INDEX members_by_plan ON members (list_id, protection, reason, address);

-- Of a post its own floor, where a policy asked for more than its list; empty: none.
ALTER TABLE posts ADD COLUMN floor TEXT NOT NULL DEFAULT '';

-- Written by postern-listd: copies that could not have verified TLS in time and are being taken back from the gateway.
-- When it says that a copy is dropped, the recipient is planned anew; a row goes when the copy has its final outcome.
CREATE TABLE takebacks (
  ledger_id INTEGER PRIMARY KEY,
  asked_at  BIGINT NOT NULL
);
CREATE INDEX ledger_waiting_for_tls ON ledger (post_id, id)
  WHERE protection = 'tls' AND kind = 'content' AND state IN ('planned', 'deferred');
