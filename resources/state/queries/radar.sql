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
