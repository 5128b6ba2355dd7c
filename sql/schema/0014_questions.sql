-- What the labour agency is asked about: one letter, for one worker. Of each of these one question waits at a time.
CREATE TABLE question (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  worker_id BIGINT NOT NULL REFERENCES worker (id),
  letter_no TEXT NOT NULL,
  case_id BIGINT NOT NULL DEFAULT 0,
  asked_by BIGINT NOT NULL,
  asked BIGINT NOT NULL,
  ended BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX question_waiting ON question (worker_id, letter_no) WHERE state = 'asked';
CREATE INDEX question_worker ON question (worker_id, asked, id);
CREATE INDEX question_by ON question (asked_by, asked);

-- The identity check: arrivals of nobody by birth, and what was revoked.
CREATE INDEX record_nobody_birth ON record (nationality, birth) WHERE worker_id = 0;
CREATE INDEX permit_revoked ON permit (worker_id) WHERE state = 'revoked';
