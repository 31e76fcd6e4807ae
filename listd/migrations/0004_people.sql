-- People: roles, factors, invitations, tokens.

-- Written by postern-listd: people who may sign in. roles: the bits of core/app/Roles.h. invited: a link was made and not yet
-- used, so there is neither password nor factor. password_hash is empty for a person who signs in with passkeys alone.
-- user_handle is what passkeys know the person by; it says nothing of the name.
CREATE TABLE people (
  name            TEXT    PRIMARY KEY,
  roles           INTEGER NOT NULL,
  mail            TEXT    NOT NULL DEFAULT '',
  state           TEXT    NOT NULL CHECK (state IN ('invited', 'enabled', 'disabled')),
  password_hash   TEXT    NOT NULL DEFAULT '',
  user_handle     BLOB    NOT NULL UNIQUE,
  created_at      BIGINT  NOT NULL,
  last_sign_in_at BIGINT  NOT NULL DEFAULT 0,
  break_glass     INTEGER NOT NULL DEFAULT 0 CHECK (break_glass IN (0, 1))
);
INSERT INTO people (name, roles, state, password_hash, user_handle, created_at, last_sign_in_at)
  SELECT name, CASE role WHEN 'admin' THEN 1 WHEN 'auditor' THEN 8 ELSE 32 END, 'enabled', password_hash, randomblob(32),
         created_at, last_sign_in_at FROM accounts;

-- Written by postern-listd: the lists that a person with the role owner may act on.
CREATE TABLE account_lists (
  account TEXT    NOT NULL REFERENCES people (name),
  list_id INTEGER NOT NULL REFERENCES lists (id),
  PRIMARY KEY (account, list_id)
) WITHOUT ROWID;

-- Written by postern-listd: what proves a person. totp: secret is sealed, last_step is the one that was used last. passkey: the
-- public key as 'algorithm' and its bytes, the counter of the authenticator.
CREATE TABLE factors (
  id            INTEGER PRIMARY KEY,
  account       TEXT    NOT NULL REFERENCES people (name),
  kind          TEXT    NOT NULL CHECK (kind IN ('totp', 'passkey')),
  name          TEXT    NOT NULL,
  secret        BLOB    NOT NULL DEFAULT x'',
  last_step     BIGINT  NOT NULL DEFAULT 0,
  credential_id BLOB    UNIQUE,
  algorithm     INTEGER NOT NULL DEFAULT 0,
  public_key    BLOB    NOT NULL DEFAULT x'',
  sign_count    BIGINT  NOT NULL DEFAULT 0,
  created_at    BIGINT  NOT NULL,
  last_used_at  BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX factors_by_account ON factors (account);
INSERT INTO factors (account, kind, name, secret, last_step, created_at)
  SELECT name, 'totp', 'Authenticator app', totp_secret, totp_last_step, created_at FROM accounts;
DROP TABLE accounts;

-- Written by postern-listd: recovery codes, each good for one sign-in; a keyed hash, so that a copy of this file opens nothing.
CREATE TABLE recovery_codes (
  account   TEXT   NOT NULL REFERENCES people (name),
  code_hash TEXT   NOT NULL,
  used_at   BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (account, code_hash)
) WITHOUT ROWID;

-- Written by postern-listd: one-time links that make an account, or give it new factors. first: the first account of the site,
-- whose name is chosen with the link. The token itself is not kept.
CREATE TABLE invitations (
  token_hash  TEXT   PRIMARY KEY,
  kind        TEXT   NOT NULL CHECK (kind IN ('first', 'invitation', 'recovery')),
  account     TEXT   NOT NULL DEFAULT '',
  totp_secret BLOB   NOT NULL,
  made_by     TEXT   NOT NULL,
  created_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  used_at     BIGINT NOT NULL DEFAULT 0
);
INSERT INTO invitations (token_hash, kind, totp_secret, made_by, created_at, expires_at, used_at)
  SELECT token_hash, 'first', totp_secret, '', created_at, expires_at, used_at FROM setup_links;
DROP TABLE setup_links;

-- Written by postern-listd: what is half-way: the ticket between password and factor, and challenges of passkeys. Used once,
-- five minutes. bound_to: the client or session for which it was made.
CREATE TABLE pending_proofs (
  token_hash TEXT   PRIMARY KEY,
  purpose    TEXT   NOT NULL,
  account    TEXT   NOT NULL,
  bound_to   TEXT   NOT NULL,
  expires_at BIGINT NOT NULL
);
CREATE INDEX pending_proofs_by_end ON pending_proofs (expires_at);

-- Written by postern-listd: who signed in again, in which session.
CREATE TABLE step_ups (
  session TEXT   NOT NULL,
  account TEXT   NOT NULL,
  at      BIGINT NOT NULL,
  PRIMARY KEY (session, account)
) WITHOUT ROWID;

-- Written by postern-listd: personal access tokens; only a hash is kept.
CREATE TABLE api_tokens (
  id           INTEGER PRIMARY KEY,
  account      TEXT   NOT NULL REFERENCES people (name),
  name         TEXT   NOT NULL,
  token_hash   TEXT   NOT NULL UNIQUE,
  scopes       TEXT   NOT NULL,
  created_at   BIGINT NOT NULL,
  expires_at   BIGINT NOT NULL,
  last_used_at BIGINT NOT NULL DEFAULT 0,
  revoked_at   BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX api_tokens_by_account ON api_tokens (account);

-- Written by postern-listd: the sealed emergency accounts and each opening. Rows are only ever added or closed.
CREATE TABLE break_glass (
  id           INTEGER PRIMARY KEY,
  account      TEXT   NOT NULL REFERENCES people (name),
  code_hash    TEXT   NOT NULL UNIQUE,
  sealed_by    TEXT   NOT NULL,
  sealed_at    BIGINT NOT NULL,
  opened_at    BIGINT NOT NULL DEFAULT 0,
  opened_until BIGINT NOT NULL DEFAULT 0,
  opened_from  TEXT   NOT NULL DEFAULT '',
  opened_for   TEXT   NOT NULL DEFAULT '',
  reviewed_by  TEXT   NOT NULL DEFAULT '',
  reviewed_at  BIGINT NOT NULL DEFAULT 0,
  words        TEXT   NOT NULL DEFAULT ''
);

-- Written by postern-listd: the quarterly look at who may what, and who signed for it.
CREATE TABLE access_reviews (
  id        INTEGER PRIMARY KEY,
  digest    TEXT   NOT NULL,
  signed_by TEXT   NOT NULL,
  signed_at BIGINT NOT NULL,
  words     TEXT   NOT NULL
);

-- Written by postern-listd: 1 once the site has had an approver, without whom nobody gives roles from then on.
INSERT INTO counters (name, value) VALUES ('approvers', 0), ('two-person-rules', 0);
