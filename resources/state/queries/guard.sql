-- name: holds-at
-- The live reservations that can matter to the paths in the JSON list :paths (:everywhere: all there are): those on
-- just such a path, those of :issue, and every pattern that is more than a plain ASCII path.
SELECT pattern, agent, issue, shared, predicted, owner, expires, expires_at FROM reservation
WHERE released_at IS NULL AND (:everywhere OR issue = :issue OR pattern IN (SELECT value FROM json_each(:paths))
    OR pattern GLOB '*[*?{[]*' OR pattern GLOB '!*' OR pattern GLOB '*[^ -~]*')
ORDER BY id;

-- name: fences-live
-- The fence numbers of the leases that still live.
SELECT fence FROM lease WHERE released_at IS NULL;
