-- name: waits
-- Who waits for whom.
SELECT * FROM wait ORDER BY since_at, agent;

-- name: wait-put
-- An agent waits, or waits for another holder now.
INSERT INTO wait (agent, issue, holder, pattern, owner, since_at)
VALUES (:agent, :issue, :holder, :pattern, :owner, :now_at)
ON CONFLICT (agent, issue) DO UPDATE SET holder = excluded.holder, pattern = excluded.pattern, owner = excluded.owner;

-- name: wait-over
-- It waits no longer.
DELETE FROM wait WHERE agent = :agent AND issue = :issue;
