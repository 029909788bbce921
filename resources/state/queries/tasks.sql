-- name: tasks
-- Every task, in the order in which it was taken up.
SELECT * FROM task ORDER BY rank, issue;

-- name: task
-- One task.
SELECT * FROM task WHERE issue = :issue;

-- name: task-put
-- Take up an issue, or take it up again after it was released or handed off.
INSERT INTO task (issue, title, state, track, program, why, filter, rank, asked_by, changed_at)
VALUES (:issue, :title, 'waiting', :track, :program, :why, :filter, :rank, :asked_by, :changed_at)
ON CONFLICT (issue) DO UPDATE SET title = excluded.title, state = 'waiting', track = excluded.track,
    program = excluded.program, why = excluded.why, filter = excluded.filter, rank = excluded.rank, attempt = 0,
    asked_by = excluded.asked_by, changed_at = excluded.changed_at
WHERE task.state IN ('released', 'handed_off', 'landed');

-- name: task-keep
-- The wish outlives the run that had it too.
UPDATE task SET asked_by = '' WHERE issue = :issue;

-- name: task-forget
-- A wish that came to nothing leaves no task.
DELETE FROM task WHERE issue = :issue AND state = 'waiting' AND attempt = 0;

-- name: task-why
-- Why a task still waits.
UPDATE task SET why = :why, track = :track, changed_at = :changed_at WHERE issue = :issue AND state IN ('waiting', 'retry') AND why <> :why;

-- name: task-work
-- An agent starts (again) on a task.
UPDATE task SET state = 'working', agent = :agent, program = :program, slot = :slot, branch = :branch, base = :base,
    fence = :fence, attempt = :attempt, why = '', process = :process, changed_at = :changed_at
WHERE issue = :issue;

-- name: task-process
-- The process that works on a task.
UPDATE task SET process = :process, changed_at = :changed_at WHERE issue = :issue AND fence = :fence;

-- name: task-move
-- Change a task's state under its fence; changes no row when somebody else took it over.
UPDATE task SET state = :state, why = :why, changed_at = :changed_at WHERE issue = :issue AND fence = :fence;

-- name: task-free
-- A task that waits for another attempt holds no slot.
UPDATE task SET slot = '', fence = 0, process = '{}', changed_at = :changed_at WHERE issue = :issue AND fence = :fence;
