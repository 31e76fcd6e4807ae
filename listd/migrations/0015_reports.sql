-- How posts came to us, for delivery reports.

-- Written by postern-listd: how a post was encrypted to the list and what its signature is worth, as JSON {encryption
-- signature standing signer fingerprint}; empty for a post with neither.
ALTER TABLE posts ADD COLUMN sender_check TEXT NOT NULL DEFAULT '';
