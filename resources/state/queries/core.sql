-- name: meta-get
-- One fact about this project.
SELECT value FROM meta WHERE key = :key;

-- name: meta-put
-- Set one fact about this project.
INSERT INTO meta (key, value) VALUES (:key, :value) ON CONFLICT (key) DO UPDATE SET value = excluded.value;

-- name: fence-next
-- The next fence number; a counter, never max()+1 of live rows.
UPDATE meta SET value = CAST(CAST(value AS INTEGER) + 1 AS TEXT) WHERE key = 'fence' RETURNING CAST(value AS INTEGER) AS fence;

-- name: event-append
-- What was done.
INSERT INTO event (at, kind, issue, slot, agent, data) VALUES (:at, :kind, :issue, :slot, :agent, :data);

-- name: events-since
-- Everything after :seq, oldest first.
SELECT * FROM event WHERE seq > :seq ORDER BY seq;

-- name: events-newest
-- The newest :count events, newest first.
SELECT * FROM event ORDER BY seq DESC LIMIT :count;
