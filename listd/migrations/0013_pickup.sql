-- Pick-up: messages that wait for recipients, and the recipients.

-- Written by postern-listd: how a list uses pick-up. No row: 30 days, the list is named, no replies to the list, no
-- question.
CREATE TABLE pickup_lists (
  list_id       INTEGER PRIMARY KEY REFERENCES lists (id),
  days          INTEGER NOT NULL,
  neutral       INTEGER NOT NULL CHECK (neutral IN (0, 1)),
  reply_to_list INTEGER NOT NULL CHECK (reply_to_list IN (0, 1)),
  question      INTEGER NOT NULL CHECK (question IN (0, 1))
);

-- Written by postern-listd: recipients' domains that get the ciphertext as SecureMessageATT.html, up to so many bytes.
CREATE TABLE pickup_domains (
  domain      TEXT   PRIMARY KEY,
  limit_bytes BIGINT NOT NULL
);

-- Written by postern-listd: one encrypted content of a post, an object of the vault. Its key lies in the items' objects
-- alone. The card (subject, author, sizes) is sealed under a key made of that key.
CREATE TABLE pickup_contents (
  id          INTEGER PRIMARY KEY,
  post_id     INTEGER NOT NULL REFERENCES posts (id),
  sender      TEXT    NOT NULL,
  sealed_size BIGINT  NOT NULL,
  card        BLOB    NOT NULL,
  created_at  BIGINT  NOT NULL
);
CREATE INDEX pickup_contents_by_post ON pickup_contents (post_id);
CREATE INDEX pickup_contents_by_sender ON pickup_contents (sender, post_id);

-- Written by postern-listd: what waits for one recipient; the id is that of the ledger row. key_object: the object of
-- the vault that opens the content, 0 once it is destroyed. link_*: the link in the mail that was sent last. report:
-- what the recipient wrote of a problem with it.
CREATE TABLE pickup_items (
  id              INTEGER PRIMARY KEY,
  post_id         INTEGER NOT NULL,
  content_id      INTEGER NOT NULL REFERENCES pickup_contents (id),
  list_id         INTEGER NOT NULL,
  address         TEXT    NOT NULL,
  key_object      BIGINT  NOT NULL,
  state           TEXT    NOT NULL CHECK (state IN ('waiting', 'recalled', 'expired', 'given-up')),
  created_at      BIGINT  NOT NULL,
  expires_at      BIGINT  NOT NULL,
  link_issued_at  BIGINT  NOT NULL,
  link_used_at    BIGINT  NOT NULL DEFAULT 0,
  resent_at       BIGINT  NOT NULL DEFAULT 0,
  released_at     BIGINT  NOT NULL DEFAULT 0,
  first_opened_at BIGINT  NOT NULL DEFAULT 0,
  opened_session  TEXT    NOT NULL DEFAULT '',
  opened_network  TEXT    NOT NULL DEFAULT '',
  opened_how      TEXT    NOT NULL DEFAULT '',
  opens           INTEGER NOT NULL DEFAULT 0,
  ended_at        BIGINT  NOT NULL DEFAULT 0,
  reported_at     BIGINT  NOT NULL DEFAULT 0,
  report          TEXT    NOT NULL DEFAULT ''
);
CREATE INDEX pickup_items_by_address ON pickup_items (address, id);
CREATE INDEX pickup_items_by_post ON pickup_items (post_id, id);
CREATE INDEX pickup_items_by_list ON pickup_items (list_id, id);
CREATE INDEX pickup_items_by_content ON pickup_items (content_id) WHERE key_object <> 0;
CREATE INDEX pickup_items_to_end ON pickup_items (id, expires_at, state) WHERE key_object <> 0;

-- Written by postern-listd: people who set something up to sign in with. reset_at: what waited before that is theirs
-- again only when the sender's side releases it. question, answer_hash: what some lists ask besides; empty: none.
CREATE TABLE pickup_recipients (
  id              INTEGER PRIMARY KEY,
  address         TEXT    NOT NULL UNIQUE,
  user_handle     BLOB    NOT NULL UNIQUE,
  password_hash   TEXT    NOT NULL,
  created_at      BIGINT  NOT NULL,
  reset_at        BIGINT  NOT NULL,
  last_sign_in_at BIGINT  NOT NULL,
  question        TEXT    NOT NULL DEFAULT '',
  answer_hash     TEXT    NOT NULL DEFAULT ''
);

-- Written by postern-listd: their passkeys.
CREATE TABLE pickup_passkeys (
  id            INTEGER PRIMARY KEY,
  recipient_id  INTEGER NOT NULL REFERENCES pickup_recipients (id),
  name          TEXT    NOT NULL,
  credential_id BLOB    NOT NULL UNIQUE,
  algorithm     INTEGER NOT NULL,
  public_key    BLOB    NOT NULL,
  sign_count    BIGINT  NOT NULL,
  created_at    BIGINT  NOT NULL,
  last_used_at  BIGINT  NOT NULL
);
CREATE INDEX pickup_passkeys_by_recipient ON pickup_passkeys (recipient_id);

-- Written by postern-listd: their sessions. listd makes the secret and keeps its hash. kind 'mailbox': somebody who
-- proved the mailbox and may set something up, nothing else; 'signed-in': may read. answered: the own question, too.
CREATE TABLE pickup_sessions (
  secret_hash  TEXT    PRIMARY KEY,
  ref          TEXT    NOT NULL UNIQUE,
  address      TEXT    NOT NULL,
  kind         TEXT    NOT NULL CHECK (kind IN ('mailbox', 'signed-in')),
  reset        INTEGER NOT NULL CHECK (reset IN (0, 1)),
  client       TEXT    NOT NULL,
  agent        TEXT    NOT NULL,
  method       TEXT    NOT NULL,
  created_at   BIGINT  NOT NULL,
  last_seen_at BIGINT  NOT NULL,
  answered     INTEGER NOT NULL DEFAULT 0 CHECK (answered IN (0, 1))
);
CREATE INDEX pickup_sessions_by_address ON pickup_sessions (address);

-- Written by postern-listd: links that a person asked for, one in force for each address.
CREATE TABLE pickup_links (
  id        INTEGER PRIMARY KEY,
  address   TEXT    NOT NULL UNIQUE,
  issued_at BIGINT  NOT NULL,
  used_at   BIGINT  NOT NULL
);
