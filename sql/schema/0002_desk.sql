-- A dead letter that goes out again counts its tries anew, while the number of the attempt, which fences off late answers,
-- only ever grows.
ALTER TABLE outbox ADD COLUMN tried_before BIGINT NOT NULL DEFAULT 0;

-- The dispatcher's list: all cases in a state, by due time.
CREATE INDEX cases_state ON cases (state, due);
