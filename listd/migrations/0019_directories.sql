-- Where keys of members are looked for, and which authorities their certificates must chain to.

-- Written by postern-listd: LDAP directories. domains: for whose addresses each is asked; attributes: where it has keys;
-- both with blanks between. authoritative 1: its keys are in use at once, 0: they are proposed. The password is in
-- keys.db as the site key 'directory NAME'.
CREATE TABLE directories (
  name          TEXT    NOT NULL PRIMARY KEY,
  url           TEXT    NOT NULL,
  authorities   TEXT    NOT NULL,
  bind_name     TEXT    NOT NULL,
  base          TEXT    NOT NULL,
  filter        TEXT    NOT NULL,
  attributes    TEXT    NOT NULL,
  domains       TEXT    NOT NULL,
  authoritative INTEGER NOT NULL,
  made_at       BIGINT  NOT NULL
) WITHOUT ROWID;

-- Written by postern-listd: when each address was looked up last, and what came of it, in words.
CREATE TABLE key_lookups (
  address  TEXT   NOT NULL PRIMARY KEY,
  asked_at BIGINT NOT NULL,
  outcome  TEXT   NOT NULL
) WITHOUT ROWID;

-- Written by postern-listd: authorities that people trust, beside those of the setting smime.certificate_authorities.
CREATE TABLE trusted_authorities (
  fingerprint TEXT   NOT NULL PRIMARY KEY,
  certificate BLOB   NOT NULL,
  subject     TEXT   NOT NULL,
  not_after   BIGINT NOT NULL,
  added_at    BIGINT NOT NULL,
  added_by    TEXT   NOT NULL
) WITHOUT ROWID;
