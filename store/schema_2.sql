-- Migration 2: the packets that the ladder draws, and the silences of sessions. What each column means: docs/schema.md.

CREATE TABLE step (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    flow_id INTEGER NOT NULL REFERENCES flow (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    time_ns INTEGER NOT NULL,
    frame INTEGER,
    direction TEXT NOT NULL,
    flags TEXT,
    ttl INTEGER NOT NULL,
    payload_size INTEGER NOT NULL,
    what TEXT NOT NULL,
    is_repeat INTEGER NOT NULL,
    skipped INTEGER NOT NULL,
    sender_ip TEXT,
    PRIMARY KEY (flow_id, number)
) STRICT, WITHOUT ROWID;
CREATE INDEX step_by_run ON step (run_id); -- also serves the foreign key

ALTER TABLE flow ADD COLUMN silence_survived_s INTEGER;
ALTER TABLE flow ADD COLUMN silence_lethal_s INTEGER;
