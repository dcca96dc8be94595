-- Migration 3: what is known of the end of runs that did not end by themselves. What each column means: docs/schema.md.

ALTER TABLE run ADD COLUMN stored_ns INTEGER;
ALTER TABLE run ADD COLUMN interrupted_ns INTEGER;
