-- Fines as the fines system has them, and what it is told of a case.
CREATE TABLE fine (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  fine_no TEXT NOT NULL,
  case_id BIGINT NOT NULL REFERENCES cases (id),
  told BIGINT NOT NULL,
  state TEXT NOT NULL,
  reason TEXT NOT NULL,
  amount BIGINT NOT NULL,
  set_on TEXT NOT NULL,
  pay_by TEXT,
  paid BIGINT NOT NULL DEFAULT 0,
  rule TEXT,
  pay_how TEXT,
  heard BIGINT NOT NULL
);
CREATE UNIQUE INDEX fine_no ON fine (fine_no);
CREATE INDEX fine_case ON fine (case_id, set_on, id);

CREATE TABLE penalty (
  case_id BIGINT PRIMARY KEY REFERENCES cases (id),
  version BIGINT NOT NULL,
  told BIGINT NOT NULL DEFAULT 0,
  days_late BIGINT NOT NULL DEFAULT 0,
  entered TEXT,
  file_by BIGINT NOT NULL DEFAULT 0,
  answered BIGINT NOT NULL DEFAULT 0
);
