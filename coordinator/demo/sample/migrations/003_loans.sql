CREATE TABLE loan (
    id          bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    tool_id     bigint NOT NULL REFERENCES tool,
    member_id   bigint NOT NULL REFERENCES member,
    lent_on     date NOT NULL,
    due_on      date NOT NULL,
    returned_on date
);
CREATE UNIQUE INDEX loan_open ON loan (tool_id) WHERE returned_on IS NULL;
