-- name: message-insert
-- Send a message.
INSERT INTO message (thread, sender, recipient, subject, body, importance, sent_at)
VALUES (:thread, :sender, :recipient, :subject, :body, :importance, :sent_at);

-- name: messages-to
-- An inbox, newest first.
SELECT * FROM message WHERE recipient IN (:agent, '*') ORDER BY id DESC;

-- name: messages-thread
-- A thread, oldest first.
SELECT * FROM message WHERE thread = :thread ORDER BY id;

-- name: messages-newest
-- The newest :count messages, newest first.
SELECT * FROM message ORDER BY id DESC LIMIT :count;

-- name: messages-read
-- An inbox has been shown.
UPDATE message SET read_at = :now_at WHERE recipient = :agent AND read_at IS NULL;

-- name: message-ack
-- The recipient acknowledges a message.
UPDATE message SET acked_at = :now_at, read_at = COALESCE(read_at, :now_at) WHERE id = :id AND acked_at IS NULL;
