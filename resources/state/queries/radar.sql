-- name: collisions
-- What the last look found.
SELECT * FROM collision ORDER BY since_at, a, b;

-- name: collision-put
-- Two that collide; the time of the first look that saw it stays.
INSERT INTO collision (a, b, paths, since_at) VALUES (:a, :b, :paths, :now_at)
ON CONFLICT (a, b) DO UPDATE SET paths = excluded.paths;

-- name: collision-over
-- They collide no more.
DELETE FROM collision WHERE a = :a AND b = :b;

-- name: pieces
-- What work under way changed at the last look. What is tried again may well go elsewhere.
SELECT piece.issue, piece.paths, piece.finished AND task.state = 'judging' AS finished
FROM piece JOIN task ON task.issue = piece.issue WHERE task.state IN ('working', 'judging') ORDER BY piece.issue;

-- name: pieces-looked
-- When the radar looked last, and how many pieces of unlanded work it saw then.
SELECT seen_at AS at, COUNT(*) AS count FROM piece WHERE seen_at = (SELECT MAX(seen_at) FROM piece) GROUP BY seen_at;

-- name: piece-put
-- What the look has seen of one.
INSERT INTO piece (issue, paths, finished, seen_at) VALUES (:issue, :paths, :finished, :now_at)
ON CONFLICT (issue) DO UPDATE SET paths = excluded.paths, finished = excluded.finished;

-- name: pieces-over
-- A new look begins; what it does not see is not there any more.
DELETE FROM piece;
