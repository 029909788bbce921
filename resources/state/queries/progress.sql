-- name: progress-all
-- Everything that agents have said of issues.
SELECT * FROM progress ORDER BY issue;

-- name: progress-of
-- What was said of one issue last.
SELECT * FROM progress WHERE issue = :issue;

-- name: progress-start
-- An agent starts, or starts anew.
INSERT INTO progress (issue, state, agent, fence, pr, why, started_at, changed_at)
VALUES (:issue, 'started', :agent, :fence, 0, '', :now_at, :now_at)
ON CONFLICT (issue) DO UPDATE SET state = 'started', agent = excluded.agent, fence = excluded.fence, pr = 0, why = '',
    started_at = excluded.started_at, changed_at = excluded.changed_at;

-- name: progress-end
-- Its agent says that it is completed, or that it failed.
UPDATE progress SET state = :state, pr = :pr, why = :why, changed_at = :now_at
WHERE issue = :issue AND agent = :agent AND state = 'started';
