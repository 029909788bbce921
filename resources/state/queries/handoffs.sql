-- name: handoffs-of
-- What the attempts at an issue left, oldest first.
SELECT attempt, why, evidence, saved, tree, log, log_from, log_to, stat, ran FROM handoff WHERE issue = :issue ORDER BY id;

-- name: handoff-insert
-- An attempt did not land.
INSERT INTO handoff (issue, attempt, why, evidence, saved, tree, log, log_from, log_to, stat, ran, left_at)
VALUES (:issue, :attempt, :why, :evidence, :saved, :tree, :log, :log_from, :log_to, :stat, :ran, :now_at);

-- name: handoff-saved
-- The newest handoff's work was saved under a ref.
UPDATE handoff SET saved = :saved, stat = :stat WHERE id = (SELECT MAX(id) FROM handoff WHERE issue = :issue);

-- name: handoffs-forget
-- The issue is done.
DELETE FROM handoff WHERE issue = :issue;

-- name: verdict-blamed
-- The verdict because of which an issue's newest entry bounced.
SELECT verdict.evidence FROM landing
JOIN trial ON trial.id = landing.blamed JOIN verdict ON verdict.tree = trial.tree AND verdict.gate = trial.gate
WHERE landing.id = (SELECT MAX(id) FROM landing WHERE issue = :issue) AND landing.state = 'bounced';

-- name: resolution-put
-- An agent says that an issue needs no change.
INSERT INTO resolution (issue, fence, attempt, kind, why, proof, said_at)
VALUES (:issue, :fence, :attempt, :kind, :why, :proof, :now_at)
ON CONFLICT (issue) DO UPDATE SET fence = excluded.fence, attempt = excluded.attempt, kind = excluded.kind,
    why = excluded.why, proof = excluded.proof, said_at = excluded.said_at;

-- name: resolution-of
-- What was said in one attempt at an issue.
SELECT kind, why, proof FROM resolution WHERE issue = :issue AND fence = :fence AND attempt = :attempt;
