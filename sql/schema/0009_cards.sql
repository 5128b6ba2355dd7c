-- Cards that are made for cases: the bureau's newest word on each job, and where it lies until it is collected.
CREATE TABLE card_job (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  job_no TEXT NOT NULL,
  case_id BIGINT NOT NULL REFERENCES cases (id),
  round BIGINT NOT NULL,
  permit_no TEXT NOT NULL,
  valid_from TEXT NOT NULL,
  valid_to TEXT NOT NULL,
  state TEXT NOT NULL,
  seq BIGINT NOT NULL DEFAULT 0,
  bureau_no TEXT,
  card_no TEXT,
  spoiled BIGINT NOT NULL DEFAULT 0,
  station TEXT NOT NULL,
  tracking TEXT,
  reason TEXT,
  code TEXT,
  ordered BIGINT NOT NULL,
  made BIGINT NOT NULL DEFAULT 0,
  sent BIGINT NOT NULL DEFAULT 0,
  arrived BIGINT NOT NULL DEFAULT 0,
  collected BIGINT NOT NULL DEFAULT 0,
  collected_by BIGINT NOT NULL DEFAULT 0,
  ask_at BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX card_job_no ON card_job (job_no);
CREATE UNIQUE INDEX card_job_case ON card_job (case_id, round);
CREATE INDEX card_job_card ON card_job (card_no);
CREATE INDEX card_job_waits ON card_job (station, arrived, id) WHERE state = 'arrived';
CREATE INDEX card_job_quiet ON card_job (ask_at) WHERE ask_at > 0;

-- Blanks: as our jobs count them (side 'ours', without a store), and as the bureau counts those of each of its stores.
CREATE TABLE card_stock (
  side TEXT NOT NULL,
  store TEXT NOT NULL,
  at BIGINT NOT NULL DEFAULT 0,
  blanks BIGINT NOT NULL DEFAULT 0,
  reserved BIGINT NOT NULL DEFAULT 0,
  made BIGINT NOT NULL DEFAULT 0,
  spoiled BIGINT NOT NULL DEFAULT 0,
  delivered BIGINT NOT NULL DEFAULT 0,
  low_at BIGINT NOT NULL DEFAULT 0,
  PRIMARY KEY (side, store)
);
INSERT INTO card_stock (side, store) VALUES ('ours', '');
