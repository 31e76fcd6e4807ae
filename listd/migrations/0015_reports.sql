-- How posts came to us, for delivery reports.

-- Written by postern-listd: how a post was encrypted to the list and what its signature is worth, as JSON {encryption
-- signature standing signer fingerprint}; empty for a post with neither.
ALTER TABLE posts ADD COLUMN sender_check TEXT NOT NULL DEFAULT '';

-- Written by postern-listd: the way of an accepted post to us, by its Received fields (core/hops): JSON as
-- compactJson() writes it. Apart from posts, so that pages of posts do not read it.
CREATE TABLE journeys (
  post_id INTEGER PRIMARY KEY REFERENCES posts (id),
  hops    TEXT    NOT NULL
);

-- Whether a poster who asks for it, by the field "Postern-Plan: yes", gets the counts of the plan.
ALTER TABLE lists ADD COLUMN plan_on_wish INTEGER NOT NULL DEFAULT 0;

-- Delivery reports look for a span of time, and within a post for one recipient. The second index is filled in post by
-- post, so that a plan for very many writes near its last pages.
CREATE INDEX posts_by_receipt ON posts (received_at, id, list_id);
CREATE INDEX ledger_by_recipient ON ledger (post_id, recipient);
