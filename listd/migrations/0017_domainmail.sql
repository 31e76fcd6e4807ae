-- Domain mail: what relays hand over for recipients outside, sealed by the ladder of lists.

-- Written by postern-listd: who may hand over mail. range: addresses as in 192.0.2.0/24; domain: of the senders; list_id:
-- the closed secure list under whose rules, class and retention this mail is kept and protected.
CREATE TABLE relays (
  range   TEXT    NOT NULL,
  domain  TEXT    NOT NULL,
  list_id INTEGER NOT NULL REFERENCES lists (id),
  PRIMARY KEY (range, domain)
) WITHOUT ROWID;

-- domain: its recipients were named by its author, and are not the members of the list.
ALTER TABLE posts ADD COLUMN kind TEXT NOT NULL DEFAULT 'list' CHECK (kind IN ('list', 'domain'));
CREATE INDEX posts_domain_by_sender ON posts (mail_from, id) WHERE kind = 'domain';
