-- name: task-abandoned
-- An attempt whose agent and lease are gone waits for another; changes no row when the task has moved on.
UPDATE task SET state = 'retry', why = :why, changed_at = :changed_at
WHERE issue = :issue AND fence = :fence AND state = 'working';

-- name: events-of-kind
-- Every event of one kind, oldest first.
SELECT * FROM event WHERE kind = :kind ORDER BY seq;

-- name: reservations-ever
-- Every reservation that was ever held, oldest first.
SELECT * FROM reservation ORDER BY id;

-- name: verdicts
-- Every tree that a gate has judged.
SELECT tree, passed, evidence FROM verdict;
