-- name: stack-put
-- An attempt is going to begin on unlanded work; the same inputs have the same base.
INSERT INTO stack (issue, base, parent, tip) VALUES (:issue, :base, :parent, :tip)
ON CONFLICT (issue, base, parent) DO UPDATE SET tip = excluded.tip;

-- name: stacks
-- What the last attempt of each task that has not landed stands on, as far as it is stacked.
SELECT stack.*, task.state FROM stack JOIN task ON task.issue = stack.issue AND task.base = stack.base
WHERE task.state <> 'landed' ORDER BY stack.issue, stack.parent;

-- name: stack-told
-- What the agent has been told about a parent; changes no row when it knows.
UPDATE stack SET told = :told, offered = :offered
WHERE issue = :issue AND base = :base AND parent = :parent AND told <> :told;

-- name: reservations-share
-- Let others write beside what is held for an issue.
UPDATE reservation SET shared = 1 WHERE issue = :issue AND released_at IS NULL;

-- name: task-uncount
-- The attempt of a task that waits again does not count.
UPDATE task SET attempt = MAX(0, attempt - 1) WHERE issue = :issue AND state = 'waiting';
