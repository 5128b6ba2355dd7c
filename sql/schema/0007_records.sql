-- What other agencies say: an arrival, a labour permit. The newest word on each, by the other side's own name for it.
CREATE TABLE record (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  state TEXT NOT NULL,
  nationality TEXT,
  passport_no TEXT,
  birth TEXT,
  worker_id BIGINT NOT NULL DEFAULT 0,
  at BIGINT NOT NULL,
  data TEXT NOT NULL,
  heard BIGINT NOT NULL
);
CREATE UNIQUE INDEX record_name ON record (kind, name);
CREATE INDEX record_worker ON record (worker_id, at);
CREATE INDEX record_nobody ON record (nationality, passport_no, at) WHERE worker_id = 0;
CREATE INDEX record_open ON record (kind, heard, id) WHERE worker_id = 0;

-- The legal clock: when the worker came, by when a permit is to be applied for, and whether it was.
ALTER TABLE worker ADD COLUMN entered TEXT;
ALTER TABLE worker ADD COLUMN file_by BIGINT NOT NULL DEFAULT 0;
ALTER TABLE worker ADD COLUMN filed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE worker ADD COLUMN reminded BIGINT NOT NULL DEFAULT 0;
CREATE INDEX worker_due ON worker (file_by) WHERE file_by > 0 AND filed = 0 AND reminded = 0;
CREATE INDEX worker_person ON worker (nationality, passport_no, created);
CREATE INDEX worker_birth ON worker (nationality, birth);

CREATE INDEX cases_of_worker ON cases (worker_id, created);
DROP INDEX cases_worker;
CREATE INDEX permit_of_worker ON permit (worker_id, issued) WHERE state = 'valid';

-- The identity check finds the same file in other cases.
CREATE INDEX case_file_sha256 ON case_file (sha256);
