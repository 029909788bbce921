-- name: slots
-- The pool, in order.
SELECT * FROM slot ORDER BY purpose DESC, number;

-- name: slot
-- One slot.
SELECT * FROM slot WHERE name = :name;

-- name: slot-insert
-- A slot that is about to be made; the row stands before the folder so that a crash leaves a trace.
INSERT INTO slot (name, number, purpose, path, state, changed_at)
VALUES (:name, :number, :purpose, :path, 'making', :changed_at);

-- name: slot-state
-- Move a slot from one state to another; changes no row when it is no longer in :old.
UPDATE slot SET state = :new, note = :note, changed_at = :changed_at WHERE name = :name AND state = :old;

-- name: slot-prepared
-- Record what a slot shows and holds.
UPDATE slot SET base = :base, view = :view, database = :database, port_low = :port_low, port_high = :port_high
WHERE name = :name;

-- name: slot-delete
-- Forget a slot whose folder and database are gone.
DELETE FROM slot WHERE name = :name;
