-- What the sender asked of TLS (RFC 8689): 0 nothing, 1 REQUIRETLS, 2 that the recipient's domain's policy be passed over.
ALTER TABLE copies ADD COLUMN tls_ask INTEGER NOT NULL DEFAULT 0;
