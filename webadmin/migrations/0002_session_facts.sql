-- What a person knows a session by in the list of sessions: words for the browser and system.
ALTER TABLE sessions ADD COLUMN agent TEXT NOT NULL DEFAULT '';
