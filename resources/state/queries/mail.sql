-- name: letter-insert
-- A letter; its deliveries follow in the same transaction.
INSERT INTO letter (thread, sender, subject, body, importance, wants_ack, sent_at)
VALUES (:thread, :sender, :subject, :body, :importance, :wants_ack, :sent_at);

-- name: letter-newest
-- The letter that was just written.
SELECT id FROM letter ORDER BY id DESC LIMIT 1;

-- name: delivery-insert
-- To whom a letter goes; the same address twice is one delivery.
INSERT INTO delivery (letter, agent, issue) VALUES (:letter, :agent, :issue) ON CONFLICT DO NOTHING;

-- name: letters-for
-- What an agent at an issue may read: by name, or by the issue; oldest first.
SELECT letter.*, delivery.agent, delivery.issue, delivery.told_at, delivery.read_at, delivery.acked_at
FROM delivery JOIN letter ON letter.id = delivery.letter
WHERE (delivery.agent = :agent AND delivery.issue IN ('', :issue)) OR (delivery.agent = '' AND delivery.issue = :issue AND :issue <> '')
ORDER BY letter.id;

-- name: letters-of-thread
-- Everything that was said in a thread, with one row per address.
SELECT letter.*, delivery.agent, delivery.issue, delivery.told_at, delivery.read_at, delivery.acked_at
FROM delivery JOIN letter ON letter.id = delivery.letter
WHERE letter.thread = :thread
ORDER BY letter.id, delivery.agent, delivery.issue;

-- name: letters-after
-- The first :most letters after the one of number :id, with one row per address.
SELECT letter.*, delivery.agent, delivery.issue
FROM (SELECT * FROM letter WHERE id > :id ORDER BY id LIMIT :most) AS letter JOIN delivery ON letter.id = delivery.letter
ORDER BY letter.id, delivery.agent, delivery.issue;

-- name: threads
-- Every thread, the last written to first.
SELECT thread, COUNT(*) AS letters, MIN(subject) AS subject, MAX(sent_at) AS latest_at
FROM letter GROUP BY thread ORDER BY latest_at DESC;

-- name: delivery-told
-- The agent has been told that the letter is there.
UPDATE delivery SET told_at = :now_at WHERE letter = :letter AND agent = :agent AND issue = :issue AND told_at IS NULL;

-- name: delivery-read
-- The letter was shown to its reader.
UPDATE delivery SET read_at = :now_at WHERE letter = :letter AND agent = :agent AND issue = :issue AND read_at IS NULL;

-- name: delivery-ack
-- The reader says that it will be minded.
UPDATE delivery SET acked_at = :now_at, read_at = COALESCE(read_at, :now_at)
WHERE letter = :letter AND agent = :agent AND issue = :issue AND acked_at IS NULL;

-- name: correspondents
-- Every name that a letter can be addressed to.
SELECT name, MAX(about) AS about FROM (
    SELECT name, about FROM correspondent
    UNION ALL SELECT agent, 'works on ' || issue FROM task WHERE agent <> ''
    UNION ALL SELECT sender, '' FROM letter
) GROUP BY name ORDER BY name;

-- name: correspondent-put
-- A name that may be written to.
INSERT INTO correspondent (name, about, registered_at) VALUES (:name, :about, :now_at)
ON CONFLICT (name) DO UPDATE SET about = excluded.about;

-- name: urgent-for
-- How many urgent letters the agent at an issue has neither read nor been told of.
SELECT COUNT(*) AS letters FROM delivery JOIN letter ON letter.id = delivery.letter
WHERE delivery.read_at IS NULL AND delivery.told_at IS NULL AND letter.importance = 'urgent'
    AND ((delivery.agent = :agent AND delivery.issue IN ('', :issue)) OR (delivery.agent = '' AND delivery.issue = :issue));

-- name: urgent-left
-- One urgent letter to work under way that nobody has been told of.
SELECT delivery.letter FROM delivery JOIN letter ON letter.id = delivery.letter
JOIN task ON task.fence <> 0 AND (task.issue = delivery.issue OR (delivery.issue = '' AND task.agent = delivery.agent))
WHERE delivery.read_at IS NULL AND delivery.told_at IS NULL AND letter.importance = 'urgent' LIMIT 1;
