-- What steps leave for later ones, and the parameters that an attempt was begun with: it resumes with those.
CREATE TABLE output (
    run   TEXT NOT NULL,
    node  TEXT NOT NULL,
    -- As on record: of a work order with the blueprint's name in front.
    step  TEXT NOT NULL,
    name  TEXT NOT NULL,
    value TEXT NOT NULL,
    at    BIGINT NOT NULL,
    PRIMARY KEY (run, node, step, name)
);
CREATE INDEX output_of_step ON output (node, step, name, at);
ALTER TABLE attempt ADD COLUMN params TEXT;
