-- DATA/keys/keys.db, written by listd only. Every secret column is wrapped: AES-256-GCM under the key named beside it.

-- Under the root key.
CREATE TABLE private_keys (
  list_id INTEGER NOT NULL,        -- 0: of the site
  name TEXT NOT NULL,              -- "vault" or what a list's signing key is called
  wrapped BLOB NOT NULL,
  public_part BLOB NOT NULL,       -- empty where the certificate has it
  PRIMARY KEY (list_id, name)
);

-- Under the root key. A list's newest epoch wraps its new objects.
CREATE TABLE epochs (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  list_id INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  wrapped BLOB NOT NULL
);
CREATE INDEX epochs_by_list ON epochs (list_id, id);

-- Under the epoch key, with the place in DATA/vault of what the key seals.
CREATE TABLE object_keys (
  object_id INTEGER PRIMARY KEY,
  list_id INTEGER NOT NULL,
  epoch_id INTEGER NOT NULL REFERENCES epochs (id),
  wrapped BLOB NOT NULL,
  segment INTEGER NOT NULL,
  offset INTEGER NOT NULL,
  length INTEGER NOT NULL
);
