-- What is kept: one object for each accepted message, one reference for each list that it was posted to.

-- Written by postern-listd: the objects of the vault. An object's row stays when the content is gone (a tombstone).
-- header_date is the Date: field; null when there is none. digest: SHA-256 of the content, noted at receipt; empty for
-- mail that came before digests were noted. destroying: the key is being destroyed, see dispositions.
CREATE TABLE objects (
  id           BIGINT PRIMARY KEY,
  received_at  BIGINT NOT NULL,
  header_date  BIGINT,
  size         BIGINT NOT NULL,
  class        TEXT   NOT NULL CHECK (class IN ('low', 'moderate', 'high')),
  digest       BLOB   NOT NULL DEFAULT x'',
  state        TEXT   NOT NULL CHECK (state IN ('stored', 'destroying', 'destroyed')),
  destroyed_at BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX objects_by_receipt ON objects (received_at, id);
CREATE INDEX objects_being_destroyed ON objects (id) WHERE state = 'destroying';

-- Written by postern-listd: retention rules run per reference; the object's key dies with the last one. A reference that was
-- removed stays as a tombstone, since holds still match it. hidden_at: somebody deleted it; that only hides.
CREATE TABLE object_references (
  object_id  BIGINT  NOT NULL REFERENCES objects (id),
  list_id    INTEGER NOT NULL REFERENCES lists (id),
  post_id    INTEGER NOT NULL,
  hidden_at  BIGINT  NOT NULL DEFAULT 0,
  hidden_by  TEXT    NOT NULL DEFAULT '',
  removed_at BIGINT  NOT NULL DEFAULT 0,
  PRIMARY KEY (object_id, list_id)
) WITHOUT ROWID;
CREATE INDEX object_references_by_list ON object_references (list_id, object_id);

-- Written by postern-listd: tags that people or policies put on a message.
CREATE TABLE object_labels (
  object_id BIGINT NOT NULL REFERENCES objects (id),
  label     TEXT   NOT NULL,
  added_at  BIGINT NOT NULL,
  PRIMARY KEY (object_id, label)
) WITHOUT ROWID;

-- Of all posts: an index with a condition is of no use to `vault_object = ?`, which would read every post instead.
CREATE INDEX posts_by_object ON posts (vault_object);
CREATE INDEX posts_unsent ON posts (vault_object) WHERE state <> 'done';

-- Mail of before: each of its vault objects belongs to one post.
INSERT INTO objects (id, received_at, header_date, size, class, state)
  SELECT vault_object, min(received_at), NULL, max(size), max(class), 'stored' FROM posts
  WHERE vault_object <> 0 GROUP BY vault_object;
INSERT INTO object_references (object_id, list_id, post_id)
  SELECT vault_object, list_id, min(id) FROM posts WHERE vault_object <> 0 GROUP BY vault_object, list_id;
