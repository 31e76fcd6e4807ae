-- Keys that sign mail (DKIM), and where mail is signed. The private halves are in keys.db.

-- Written by postern-listd. state: 'waiting' its record is not in the DNS yet, 'active' it signs, 'former' it signs no more
-- but its record must stay until ends_at, 'retired' its private half is destroyed.
CREATE TABLE dkim_keys (
  id         INTEGER PRIMARY KEY,
  domain     TEXT   NOT NULL,
  selector   TEXT   NOT NULL,
  kind       TEXT   NOT NULL,             -- 'rsa' 'ed25519'
  service    TEXT   NOT NULL,             -- 'email', or 'tlsrpt': reports on TLS alone
  state      TEXT   NOT NULL,
  record     TEXT   NOT NULL,             -- the TXT record
  made_at    BIGINT NOT NULL,
  active_at  BIGINT NOT NULL DEFAULT 0,
  ends_at    BIGINT NOT NULL DEFAULT 0,   -- of a former key
  checked_at BIGINT NOT NULL DEFAULT 0,
  found      TEXT   NOT NULL DEFAULT '',  -- in the DNS: '' not looked yet, 'same' 'missing' 'other' 'failed'
  UNIQUE (domain, selector)
);

-- Written by postern-listd. subject: a domain, or the address of a list, which goes before its domain.
CREATE TABLE dkim_switches (
  subject TEXT PRIMARY KEY,
  signing TEXT NOT NULL                   -- 'on' 'off' 'required'
) WITHOUT ROWID;
