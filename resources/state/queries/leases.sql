-- name: lease-live
-- The live lease of one resource.
SELECT * FROM lease WHERE kind = :kind AND resource = :resource AND released_at IS NULL;

-- name: leases-live
-- Every live lease, oldest first.
SELECT * FROM lease WHERE released_at IS NULL ORDER BY fence;

-- name: lease-insert
-- Take a resource; the partial unique index refuses a second taker.
INSERT INTO lease (fence, kind, resource, agent, issue, owner, taken_at, expires)
VALUES (:fence, :kind, :resource, :agent, :issue, :owner, :taken_at, :expires);

-- name: lease-renew
-- Extend a live lease; changes no row when the fence is no longer valid.
UPDATE lease SET expires = :expires WHERE fence = :fence AND released_at IS NULL;

-- name: lease-entrust
-- Hand a live lease to another owner (a person, when it was given by hand).
UPDATE lease SET owner = :owner, expires = :expires WHERE fence = :fence AND released_at IS NULL;

-- name: lease-release
-- End a live lease; a released lease never lives again.
UPDATE lease SET released_at = :now_at WHERE fence = :fence AND released_at IS NULL;

-- name: reservations-live
-- Every reservation not given back, expired ones included (the reader decides).
SELECT * FROM reservation WHERE released_at IS NULL ORDER BY id;

-- name: reservations-of
-- What an agent holds for an issue, oldest first.
SELECT id FROM reservation WHERE agent = :agent AND issue = :issue AND released_at IS NULL ORDER BY id;

-- name: reservation-insert
-- Reserve one pattern.
INSERT INTO reservation (agent, issue, pattern, shared, predicted, why, owner, taken_at, expires_at, expires)
VALUES (:agent, :issue, :pattern, :shared, :predicted, :why, :owner, :taken_at, :expires_at, :expires);

-- name: reservations-renew
-- Extend what an agent holds while it lives.
UPDATE reservation SET expires = :expires, expires_at = :expires_at
WHERE agent = :agent AND issue = :issue AND released_at IS NULL;

-- name: reservations-entrust
-- Let what is held for an issue answer to another owner (a person, when it was given by hand).
UPDATE reservation SET owner = :owner, expires = :expires, expires_at = :expires_at
WHERE issue = :issue AND released_at IS NULL;

-- name: reservation-release
-- Give one reservation back.
UPDATE reservation SET released_at = :now_at WHERE id = :id AND released_at IS NULL;

-- name: reservations-release-issue
-- Give back everything that was reserved for an issue.
UPDATE reservation SET released_at = :now_at WHERE issue = :issue AND released_at IS NULL;

-- name: condemned-all
-- What the last sweeps saw and did not yet reclaim.
SELECT * FROM condemned;

-- name: condemn
-- First sighting of a leak; a later sighting keeps the first time.
INSERT INTO condemned (kind, name, since_at) VALUES (:kind, :name, :since_at) ON CONFLICT (kind, name) DO NOTHING;

-- name: pardon
-- No leak any more, or reclaimed.
DELETE FROM condemned WHERE kind = :kind AND name = :name;
