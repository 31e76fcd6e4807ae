-- The site: domains, lists, members, public keys, routes, posts and their ledger, accounts, records of orders.
-- Every table here is written by postern-listd alone, on its one writer thread; no other process opens the file.
-- Times are microseconds since the epoch (UTC). Addresses are lower case. No subject and no content is ever stored.

-- Written by postern-listd: numbers that must never be used twice (copy keys, tails), and counters of the whole site.
CREATE TABLE counters (
  name  TEXT   PRIMARY KEY,
  value BIGINT NOT NULL
);
INSERT INTO counters (name, value) VALUES ('copy', 1), ('tail', 1), ('routing', 1), ('event', 0), ('readiness', 0),
  ('plaintext', 0);

-- Written by postern-listd: the mail domains that Postern receives for.
CREATE TABLE domains (
  name       TEXT   PRIMARY KEY,
  kind       TEXT   NOT NULL CHECK (kind IN ('list', 'relay')),
  created_at BIGINT NOT NULL
);

-- Written by postern-listd: where mail for a domain goes; '*' stands for all that have no row of their own.
CREATE TABLE routes (
  domain TEXT    PRIMARY KEY,
  host   TEXT    NOT NULL,
  port   INTEGER NOT NULL,
  tls    TEXT    NOT NULL CHECK (tls IN ('opportunistic', 'required', 'verified'))
);

-- Written by postern-listd: the lists. The private half of the signing identity is in keys.db under signing_key.
CREATE TABLE lists (
  id             INTEGER PRIMARY KEY,
  address        TEXT    NOT NULL UNIQUE,
  domain         TEXT    NOT NULL REFERENCES domains (name),
  display_name   TEXT    NOT NULL,
  description    TEXT    NOT NULL,
  secure         INTEGER NOT NULL CHECK (secure IN (0, 1)),
  class          TEXT    NOT NULL CHECK (class IN ('low', 'moderate', 'high')),
  state          TEXT    NOT NULL CHECK (state IN ('open', 'closed')),
  posting        TEXT    NOT NULL CHECK (posting IN ('members', 'anyone')),
  created_at     BIGINT  NOT NULL,
  certificate    BLOB    NOT NULL,
  fingerprint    TEXT    NOT NULL,
  not_after      BIGINT  NOT NULL
);
CREATE INDEX lists_by_domain ON lists (domain, address);

-- Written by postern-listd: who is on a list. `standing`, `protection` and `reason` say how the member stands with
-- the keys known now; they are for showing and counting. A post's plan looks at the keys themselves.
CREATE TABLE members (
  id         INTEGER PRIMARY KEY,
  list_id    INTEGER NOT NULL REFERENCES lists (id),
  address    TEXT    NOT NULL,
  name       TEXT    NOT NULL,
  role       TEXT    NOT NULL CHECK (role IN ('member', 'moderator', 'owner')),
  state      TEXT    NOT NULL CHECK (state IN ('enabled', 'disabled')),
  standing   TEXT    NOT NULL CHECK (standing IN ('ready', 'withheld', 'disabled')),
  protection TEXT    NOT NULL,
  reason     TEXT    NOT NULL,
  joined_at  BIGINT  NOT NULL,
  UNIQUE (list_id, address)
);
CREATE INDEX members_in_order ON members (list_id, id);
CREATE INDEX members_by_standing ON members (list_id, standing, address);
CREATE INDEX members_by_address ON members (address);

-- Written by postern-listd through the triggers below: how many members of a list stand how, so that a page about a
-- list of 100,000 counts nothing.
CREATE TABLE member_counts (
  list_id    INTEGER NOT NULL,
  standing   TEXT    NOT NULL,
  protection TEXT    NOT NULL,
  reason     TEXT    NOT NULL,
  members    INTEGER NOT NULL,
  PRIMARY KEY (list_id, standing, protection, reason)
);
CREATE TRIGGER members_counted_in AFTER INSERT ON members BEGIN
  INSERT INTO member_counts (list_id, standing, protection, reason, members)
    VALUES (new.list_id, new.standing, new.protection, new.reason, 1)
    ON CONFLICT (list_id, standing, protection, reason) DO UPDATE SET members = members + 1;
END;
CREATE TRIGGER members_counted_out AFTER DELETE ON members BEGIN
  UPDATE member_counts SET members = members - 1 WHERE list_id = old.list_id AND standing = old.standing
    AND protection = old.protection AND reason = old.reason;
END;
CREATE TRIGGER members_recounted AFTER UPDATE OF standing, protection, reason ON members BEGIN
  UPDATE member_counts SET members = members - 1 WHERE list_id = old.list_id AND standing = old.standing
    AND protection = old.protection AND reason = old.reason;
  INSERT INTO member_counts (list_id, standing, protection, reason, members)
    VALUES (new.list_id, new.standing, new.protection, new.reason, 1)
    ON CONFLICT (list_id, standing, protection, reason) DO UPDATE SET members = members + 1;
END;

-- Written by postern-listd: public keys of members, several per address. `recipient_key` is the compact form that
-- wrapping needs. `verdict` is what was found at import: 'valid-certificate', 'valid-openpgp-key' or why the key may never
-- be used. `certificate` is the whole key: DER, or binary OpenPGP.
CREATE TABLE member_keys (
  id            INTEGER PRIMARY KEY,
  fingerprint   TEXT    NOT NULL,
  address       TEXT    NOT NULL,
  kind          TEXT    NOT NULL CHECK (kind IN ('smime', 'openpgp')),
  state         TEXT    NOT NULL CHECK (state IN ('proposed', 'confirmed', 'revoked')),
  verdict       TEXT    NOT NULL,
  algorithm     TEXT    NOT NULL,
  bits          INTEGER NOT NULL,
  subject       TEXT    NOT NULL,
  issuer        TEXT    NOT NULL,
  not_before    BIGINT  NOT NULL,
  not_after     BIGINT  NOT NULL,
  added_at      BIGINT  NOT NULL,
  recipient_key BLOB    NOT NULL,
  certificate   BLOB    NOT NULL,
  UNIQUE (address, fingerprint)
);
-- Answers a plan by itself: the certificates are not read for it.
CREATE INDEX member_keys_facts ON member_keys (address, fingerprint, kind, state, verdict, not_before, not_after);
CREATE INDEX member_keys_by_fingerprint ON member_keys (fingerprint);
CREATE INDEX member_keys_by_start ON member_keys (not_before);
CREATE INDEX member_keys_by_end ON member_keys (not_after);

-- Written by postern-listd: one row for each list that an accepted message was for. The row and its ledger rows are
-- committed before anything is sent. accepted_id and queue_id together name the message at the gateway.
-- planned: mail of it is still to be handed to the gateway; sent: the gateway has all; done: every copy is final.
-- Ledger rows up to sent_through are at the gateway. trouble says why the last try to send failed; retry_at when next.
CREATE TABLE posts (
  id             INTEGER PRIMARY KEY,
  accepted_id    BIGINT  NOT NULL,
  queue_id       TEXT    NOT NULL,
  list_id        INTEGER NOT NULL REFERENCES lists (id),
  message_id     TEXT    NOT NULL,
  out_message_id TEXT    NOT NULL,
  mail_from      TEXT    NOT NULL,
  automatic      INTEGER NOT NULL,
  received_at    BIGINT  NOT NULL,
  planned_at     BIGINT  NOT NULL,
  size           BIGINT  NOT NULL,
  class          TEXT    NOT NULL,
  vault_object   BIGINT  NOT NULL,
  client         TEXT    NOT NULL,
  verdict        TEXT    NOT NULL CHECK (verdict IN ('accepted', 'rejected', 'ignored')),
  reason         TEXT    NOT NULL,
  state          TEXT    NOT NULL CHECK (state IN ('planned', 'sent', 'done')),
  reported       INTEGER NOT NULL DEFAULT 0,
  tries          INTEGER NOT NULL DEFAULT 0,
  retry_at       BIGINT  NOT NULL DEFAULT 0,
  trouble        TEXT    NOT NULL DEFAULT '',
  sent_through   BIGINT  NOT NULL DEFAULT 0,
  recipients     INTEGER NOT NULL DEFAULT 0,
  delivered      INTEGER NOT NULL DEFAULT 0,
  deferred       INTEGER NOT NULL DEFAULT 0,
  failed         INTEGER NOT NULL DEFAULT 0,
  withheld       INTEGER NOT NULL DEFAULT 0,
  pending        INTEGER NOT NULL DEFAULT 0,
  UNIQUE (accepted_id, queue_id, list_id)
);
CREATE INDEX posts_by_list ON posts (list_id, id);
CREATE INDEX posts_by_message_id ON posts (message_id);
CREATE INDEX posts_by_queue_id ON posts (queue_id);
CREATE INDEX posts_to_send ON posts (retry_at) WHERE state = 'planned';

-- Written by postern-listd: what each recipient gets of a post; the id is the copy key at the gateway.
-- Notices and reports that a post causes are rows of their own kind. For a content copy the recipient is a member.
CREATE TABLE ledger (
  id              INTEGER PRIMARY KEY,
  post_id         INTEGER NOT NULL REFERENCES posts (id),
  kind            TEXT    NOT NULL CHECK (kind IN ('content', 'notice', 'report')),
  recipient       TEXT    NOT NULL,
  protection      TEXT    NOT NULL,
  reason          TEXT    NOT NULL,
  key_fingerprint TEXT    NOT NULL,
  state           TEXT    NOT NULL CHECK (state IN
                    ('planned', 'delivered', 'deferred', 'failed', 'expired', 'dropped', 'withheld')),
  attempts        INTEGER NOT NULL DEFAULT 0,
  delivered_at    BIGINT  NOT NULL DEFAULT 0
);
CREATE INDEX ledger_by_post ON ledger (post_id, id);

-- Written by postern-listd: one try to hand a copy over, as the gateway told it, or a bounce that came back later.
CREATE TABLE attempts (
  ledger_id        INTEGER NOT NULL,
  attempt          INTEGER NOT NULL,
  outcome          TEXT    NOT NULL,
  at               BIGINT  NOT NULL,
  remote_host      TEXT    NOT NULL,
  remote_address   TEXT    NOT NULL,
  reply_code       INTEGER NOT NULL,
  reply_text       TEXT    NOT NULL,
  tls_version      TEXT    NOT NULL,
  tls_cipher       TEXT    NOT NULL,
  tls_bits         INTEGER NOT NULL,
  tls_verification TEXT    NOT NULL,
  tls_peer_name    TEXT    NOT NULL,
  PRIMARY KEY (ledger_id, attempt, outcome)
);

-- Written by postern-listd: the last notice that a member got, so that there is at most one a day for list and reason.
CREATE TABLE notices (
  list_id INTEGER NOT NULL,
  address TEXT    NOT NULL,
  reason  TEXT    NOT NULL,
  sent_at BIGINT  NOT NULL,
  PRIMARY KEY (list_id, address, reason)
);

-- Written by postern-listd: people who may sign in to the web interface.
CREATE TABLE accounts (
  name            TEXT   PRIMARY KEY,
  role            TEXT   NOT NULL CHECK (role IN ('admin', 'owner', 'auditor')),
  password_hash   TEXT   NOT NULL,
  totp_secret     BLOB   NOT NULL,
  totp_last_step  BIGINT NOT NULL,
  created_at      BIGINT NOT NULL,
  last_sign_in_at BIGINT NOT NULL
);

-- Written by postern-listd: one-time links by which the first account is made. The token itself is not kept.
CREATE TABLE setup_links (
  token_hash  TEXT   PRIMARY KEY,
  totp_secret BLOB   NOT NULL,
  created_at  BIGINT NOT NULL,
  expires_at  BIGINT NOT NULL,
  used_at     BIGINT NOT NULL
);

-- Written by postern-listd: failed sign-ins per account and per client ('account:NAME', 'client:ADDRESS').
CREATE TABLE guesses (
  subject       TEXT    PRIMARY KEY,
  failures      INTEGER NOT NULL,
  last_at       BIGINT  NOT NULL,
  blocked_until BIGINT  NOT NULL
);

-- Written by postern-listd: the flow of mail by minute (minutes since the epoch), and why mail was refused.
CREATE TABLE flow (
  minute    INTEGER PRIMARY KEY,
  accepted  INTEGER NOT NULL DEFAULT 0,
  refused   INTEGER NOT NULL DEFAULT 0,
  posts     INTEGER NOT NULL DEFAULT 0,
  delivered INTEGER NOT NULL DEFAULT 0,
  deferred  INTEGER NOT NULL DEFAULT 0,
  failed    INTEGER NOT NULL DEFAULT 0,
  withheld  INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE refusals (
  minute   INTEGER NOT NULL,
  reason   TEXT    NOT NULL,
  messages INTEGER NOT NULL,
  PRIMARY KEY (minute, reason)
);

-- Written by postern-listd: every order that changes something, done or refused. Rows are only ever added.
CREATE TABLE acts (
  id         INTEGER PRIMARY KEY,
  at         BIGINT NOT NULL,
  actor_kind TEXT   NOT NULL,
  actor_name TEXT   NOT NULL,
  act        TEXT   NOT NULL,
  object     TEXT   NOT NULL,
  outcome    TEXT   NOT NULL
);
CREATE TRIGGER acts_never_change BEFORE UPDATE ON acts BEGIN
  SELECT RAISE(ABORT, 'the record of orders is never changed');
END;
CREATE TRIGGER acts_never_go BEFORE DELETE ON acts BEGIN
  SELECT RAISE(ABORT, 'the record of orders is never deleted');
END;
