-- The nightly look at the keys of members.

-- When the key was looked at last; zero: not yet.
ALTER TABLE member_keys ADD COLUMN checked_at BIGINT NOT NULL DEFAULT 0;
CREATE INDEX member_keys_by_end ON member_keys (not_after, state);

-- 'revocation-strict' 1: a certificate is not used before its issuer said that it is good (set at each start from the
-- settings). 'key-health': when the nightly look began last, 0: never.
INSERT INTO counters (name, value) VALUES ('revocation-strict', 0), ('key-health', 0);

-- Written by postern-listd: revocation lists as they were fetched, until they end. Their signature is checked at each
-- use.
CREATE TABLE revocation_lists (
  url         TEXT   NOT NULL PRIMARY KEY,
  body        BLOB   NOT NULL,
  fetched_at  BIGINT NOT NULL,
  fresh_until BIGINT NOT NULL
) WITHOUT ROWID;
