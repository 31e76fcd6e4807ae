-- What senders ask of TLS, and what other sites report of theirs to us.

-- tls_ask: '' nothing, 'require' REQUIRETLS, 'waive' the field TLS-Required: No (RFC 8689).
ALTER TABLE posts ADD COLUMN tls_ask TEXT NOT NULL DEFAULT '';

-- Written by postern-listd: reports of other sites about their connections to our servers (RFC 8460). That they come from
-- `organization` is not proven.
CREATE TABLE tls_reports (
  id           INTEGER PRIMARY KEY,
  received_at  BIGINT NOT NULL,
  mail_from    TEXT   NOT NULL,
  organization TEXT   NOT NULL,
  contact      TEXT   NOT NULL,
  report_id    TEXT   NOT NULL,
  begin_at     BIGINT NOT NULL,
  end_at       BIGINT NOT NULL,
  UNIQUE (organization, report_id, mail_from)
);
CREATE INDEX tls_reports_by_age ON tls_reports (received_at);

-- Written by postern-listd, with the report. failures: JSON array of {type sessions sendingAddress receivingHost receivingAddress reason}.
CREATE TABLE tls_report_policies (
  report_id  INTEGER NOT NULL,
  position   INTEGER NOT NULL,
  domain     TEXT    NOT NULL,
  type       TEXT    NOT NULL,
  day        INTEGER NOT NULL, -- days since 1970, of the report's begin
  successful BIGINT  NOT NULL,
  failed     BIGINT  NOT NULL,
  failures   TEXT    NOT NULL,
  PRIMARY KEY (report_id, position)
) WITHOUT ROWID;
CREATE INDEX tls_report_policies_by_day ON tls_report_policies (day, domain);
