-- Deliveries by protection, for the dashboard: summing the ledger itself would read every copy of the day.

-- Written by postern-listd: copies that were delivered, by the minute (minutes since the epoch) and their protection in
-- the ledger, counted in the same transaction as the ledger's row. Copies that were withheld are counted in flow.
CREATE TABLE deliveries (
  minute     INTEGER NOT NULL,
  protection TEXT    NOT NULL,
  copies     INTEGER NOT NULL,
  PRIMARY KEY (minute, protection)
);
INSERT INTO deliveries (minute, protection, copies)
  SELECT delivered_at / 60000000, protection, count(*) FROM ledger WHERE kind = 'content' AND delivered_at > 0
  GROUP BY delivered_at / 60000000, protection;
