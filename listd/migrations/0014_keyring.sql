-- Keys: proposals, links by which members bring keys, reminders, former keys of lists.

-- How a key came: 'import' (by a person of the site), 'signed-mail', 'autocrypt', 'mail' (sent to LIST-request), 'web'
-- (by the member's link), 'lookup'. mailbox_proven: a token sent to the address came back with it.
ALTER TABLE member_keys ADD COLUMN origin TEXT NOT NULL DEFAULT 'import';
ALTER TABLE member_keys ADD COLUMN mailbox_proven INTEGER NOT NULL DEFAULT 0;
CREATE INDEX member_keys_by_state ON member_keys (state, id);

-- Written by postern-listd: keys that were found for an address and are not proposed again, since they cannot be used
-- for it or because a person refused them (refused_by is then not empty).
CREATE TABLE key_refusals (
  address     TEXT   NOT NULL,
  fingerprint TEXT   NOT NULL,
  reason      TEXT   NOT NULL,
  refused_at  BIGINT NOT NULL,
  refused_by  TEXT   NOT NULL,
  PRIMARY KEY (address, fingerprint)
) WITHOUT ROWID;

-- Written by postern-listd: mail to addresses about keys. The number stands in the MACed token of its link.
-- confirm: the key in `candidate` waits until its link is used; upload: a page on which a key can be given;
-- answer: a mail that only told something. Rows bound how many mails an address gets in a day.
CREATE TABLE key_links (
  id        INTEGER PRIMARY KEY,
  address   TEXT   NOT NULL,
  purpose   TEXT   NOT NULL CHECK (purpose IN ('confirm', 'upload', 'answer')),
  candidate BLOB   NOT NULL,
  made_at   BIGINT NOT NULL,
  ends_at   BIGINT NOT NULL,
  used_at   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX key_links_by_address ON key_links (address, made_at);
CREATE INDEX key_links_by_end ON key_links (ends_at);

-- Written by postern-listd: reminders that were sent; step: days ahead.
CREATE TABLE key_reminders (
  address     TEXT    NOT NULL,
  fingerprint TEXT    NOT NULL,
  step        INTEGER NOT NULL,
  sent_at     BIGINT  NOT NULL,
  PRIMARY KEY (address, fingerprint, step)
) WITHOUT ROWID;

-- Written by postern-listd: what revocation lists and responders said of a key. state: 'good' 'revoked' 'unknown';
-- detail: why it is unknown, for the administrator.
CREATE TABLE key_revocation (
  fingerprint TEXT   NOT NULL PRIMARY KEY,
  state       TEXT   NOT NULL CHECK (state IN ('good', 'revoked', 'unknown')),
  detail      TEXT   NOT NULL,
  checked_at  BIGINT NOT NULL,
  fresh_until BIGINT NOT NULL
) WITHOUT ROWID;

-- When the key was looked at last; zero: not yet.
ALTER TABLE member_keys ADD COLUMN checked_at BIGINT NOT NULL DEFAULT 0;

-- 'revocation-strict' 1: a certificate is not used before its issuer said that it is good (set at each start from the
-- settings). 'key-health': when the nightly look began last, 0: never.
INSERT INTO counters (name, value) VALUES ('revocation-strict', 0), ('key-health', 0);

-- Written by postern-listd: revocation lists as they were fetched, until they end. Their signature is checked at each
-- use.
CREATE TABLE revocation_lists (
  url         TEXT   NOT NULL PRIMARY KEY,
  body        BLOB   NOT NULL,
  fetched_at  BIGINT NOT NULL,
  fresh_until BIGINT NOT NULL
) WITHOUT ROWID;

-- Written by postern-listd: keys of lists beside the ones in use. state: 'former' opens mail until ends_at;
-- 'requested': a CA was asked for its certificate (`public_part` is the request). The private half is in keys.db under
-- `name`.
CREATE TABLE list_keys (
  id          INTEGER PRIMARY KEY,
  list_id     INTEGER NOT NULL,
  kind        TEXT    NOT NULL CHECK (kind IN ('smime', 'openpgp')),
  state       TEXT    NOT NULL CHECK (state IN ('former', 'requested')),
  name        TEXT    NOT NULL,
  fingerprint TEXT    NOT NULL,
  public_part BLOB    NOT NULL,
  made_at     BIGINT  NOT NULL,
  ends_at     BIGINT  NOT NULL
);
CREATE INDEX list_keys_by_list ON list_keys (list_id, state);

-- The chain of a certificate that a CA issued: PEM of the CA's certificates, nearest first; empty: self-signed.
ALTER TABLE lists ADD COLUMN certificate_chain TEXT NOT NULL DEFAULT '';
