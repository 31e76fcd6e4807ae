-- Relays that are known by a certificate, alone or beside their addresses.

-- Written by postern-listd. range: as before, or any (with a certificate only). A certificate is known by its SHA-256
-- (fingerprint), or by who issued it and for whom (issuer, name); all of them empty: the addresses alone.
CREATE TABLE relays_new (
  range       TEXT    NOT NULL,
  domain      TEXT    NOT NULL,
  fingerprint TEXT    NOT NULL DEFAULT '',
  issuer      TEXT    NOT NULL DEFAULT '',
  name        TEXT    NOT NULL DEFAULT '',
  list_id     INTEGER NOT NULL REFERENCES lists (id),
  PRIMARY KEY (range, domain, fingerprint, issuer, name)
) WITHOUT ROWID;
INSERT INTO relays_new (range, domain, list_id) SELECT range, domain, list_id FROM relays;
DROP TABLE relays;
ALTER TABLE relays_new RENAME TO relays;
