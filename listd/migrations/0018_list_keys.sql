-- Keys of lists: made, certified by a CA, changed with an overlap, published.

-- Nothing has written the table of 0014 yet; this one also keeps what a key was after it ended.
DROP TABLE list_keys;

-- Written by postern-listd: keys of lists beside the ones in use. state: 'requested': a CA was asked for its certificate
-- (`public_part` is the request); 'former' opens mail until ends_at; 'ended': its private half is destroyed. The private
-- half is in keys.db under `name`. announced_at: when the members were told that another key has taken its place, 0: they
-- are still to be told.
CREATE TABLE list_keys (
  id           INTEGER PRIMARY KEY,
  list_id      INTEGER NOT NULL,
  kind         TEXT    NOT NULL CHECK (kind IN ('smime', 'openpgp')),
  state        TEXT    NOT NULL CHECK (state IN ('former', 'requested', 'ended')),
  name         TEXT    NOT NULL,
  fingerprint  TEXT    NOT NULL,
  public_part  BLOB    NOT NULL,
  made_at      BIGINT  NOT NULL,
  ends_at      BIGINT  NOT NULL,
  announced_at BIGINT  NOT NULL
);
CREATE INDEX list_keys_by_list ON list_keys (list_id, id);
CREATE INDEX list_keys_by_state ON list_keys (state, ends_at);

-- Under which names keys.db has the private keys in use: a new key is stored under a name of its own before the list
-- names it, so that a change is one commit.
ALTER TABLE lists ADD COLUMN smime_key_name TEXT NOT NULL DEFAULT 'smime';
ALTER TABLE lists ADD COLUMN openpgp_key_name TEXT NOT NULL DEFAULT 'openpgp';
-- Whether strangers may have the list's public keys: by a page, by the web key directory and by mail.
ALTER TABLE lists ADD COLUMN publish_keys INTEGER NOT NULL DEFAULT 0;

-- Written by postern-listd: private keys in keys.db that no list names, since when that is so. They are destroyed after
-- 30 days and not at once: an older site.db may have been put back beside this keys.db.
CREATE TABLE unnamed_keys (
  list_id INTEGER NOT NULL,
  name    TEXT    NOT NULL,
  seen_at BIGINT  NOT NULL,
  PRIMARY KEY (list_id, name)
) WITHOUT ROWID;
