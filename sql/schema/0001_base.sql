-- The base of everything. Identities are drawn by the platform (63 bits); times are microseconds
-- since 1970 UTC; money is TWD; booleans are 0 and 1. JSON is text.

CREATE TABLE fw_schema (version BIGINT PRIMARY KEY, applied BIGINT NOT NULL);

CREATE TABLE org (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  kind TEXT NOT NULL,
  ban TEXT,
  licence TEXT,
  name_zh TEXT,
  name_en TEXT,
  address TEXT,
  county TEXT,
  phone TEXT,
  email TEXT,
  created BIGINT NOT NULL
);
CREATE UNIQUE INDEX org_ban ON org (ban);

CREATE TABLE delegation (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  employer_id BIGINT NOT NULL REFERENCES org (id),
  agency_id BIGINT NOT NULL REFERENCES org (id),
  granted BIGINT NOT NULL,
  revoked BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX delegation_live ON delegation (agency_id, employer_id) WHERE revoked = 0;
CREATE INDEX delegation_employer ON delegation (employer_id);

CREATE TABLE account (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  login TEXT NOT NULL,
  name TEXT NOT NULL,
  email TEXT,
  lang TEXT NOT NULL,
  roles TEXT NOT NULL,
  org_id BIGINT REFERENCES org (id),
  station TEXT,
  pw_hash TEXT NOT NULL,
  pw_old TEXT,
  must_change BIGINT NOT NULL,
  active BIGINT NOT NULL,
  failures BIGINT NOT NULL,
  locked_until BIGINT NOT NULL,
  last_login BIGINT NOT NULL,
  created BIGINT NOT NULL
);
CREATE UNIQUE INDEX account_login ON account (login);
CREATE INDEX account_org ON account (org_id);
CREATE INDEX account_station ON account (station);

CREATE TABLE session (
  token_hash TEXT PRIMARY KEY,
  account_id BIGINT NOT NULL REFERENCES account (id) ON DELETE CASCADE,
  csrf TEXT NOT NULL,
  created BIGINT NOT NULL,
  seen BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  ip TEXT,
  agent TEXT
);
CREATE INDEX session_account ON session (account_id);
CREATE INDEX session_expires ON session (expires);

CREATE TABLE worker (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  employer_id BIGINT NOT NULL REFERENCES org (id),
  agency_id BIGINT NOT NULL DEFAULT 0,
  passport_no TEXT NOT NULL,
  nationality TEXT NOT NULL,
  name_latin TEXT,
  name_native TEXT,
  birth TEXT,
  sex TEXT,
  permit_letter TEXT,
  data TEXT NOT NULL,
  created BIGINT NOT NULL
);
CREATE UNIQUE INDEX worker_passport ON worker (employer_id, nationality, passport_no);
CREATE INDEX worker_latest ON worker (employer_id, created);

CREATE TABLE service_version (
  hash TEXT PRIMARY KEY,
  code TEXT NOT NULL,
  xml TEXT NOT NULL,
  created BIGINT NOT NULL
);

CREATE TABLE cases (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  case_no TEXT,
  service TEXT NOT NULL,
  service_hash TEXT NOT NULL,
  state TEXT NOT NULL,
  state_since BIGINT NOT NULL,
  worker_id BIGINT NOT NULL REFERENCES worker (id),
  employer_id BIGINT NOT NULL REFERENCES org (id),
  agency_id BIGINT NOT NULL DEFAULT 0,
  filer_id BIGINT NOT NULL REFERENCES account (id),
  station TEXT,
  first_reviewer BIGINT NOT NULL DEFAULT 0,
  second_reviewer BIGINT NOT NULL DEFAULT 0,
  return_to TEXT,
  editors TEXT,
  data TEXT NOT NULL,
  marks TEXT,
  reason TEXT,
  fee BIGINT NOT NULL DEFAULT 0,
  payment_id BIGINT NOT NULL DEFAULT 0,
  permit_id BIGINT NOT NULL DEFAULT 0,
  created BIGINT NOT NULL,
  submitted BIGINT NOT NULL DEFAULT 0,
  due BIGINT NOT NULL DEFAULT 0,
  deadline BIGINT NOT NULL DEFAULT 0,
  turn_since BIGINT NOT NULL DEFAULT 0,
  office_us BIGINT NOT NULL DEFAULT 0,
  applicant_us BIGINT NOT NULL DEFAULT 0,
  passport_no TEXT,
  nationality TEXT,
  name_latin TEXT,
  name_native TEXT,
  birth TEXT,
  permit_letter TEXT,
  county TEXT
);
CREATE UNIQUE INDEX cases_no ON cases (case_no);
CREATE INDEX cases_employer ON cases (employer_id, created);
CREATE INDEX cases_agency ON cases (agency_id, created);
CREATE INDEX cases_worker ON cases (worker_id);
CREATE INDEX cases_desk ON cases (station, state, due);
CREATE INDEX cases_reviewer ON cases (first_reviewer, state, due);
CREATE INDEX cases_passport ON cases (passport_no);
CREATE INDEX cases_name ON cases (name_latin);
CREATE INDEX cases_deadline ON cases (deadline) WHERE deadline > 0;

CREATE TABLE case_file (
  id BIGINT PRIMARY KEY,
  case_id BIGINT NOT NULL REFERENCES cases (id),
  slot TEXT NOT NULL,
  vault TEXT NOT NULL,
  name TEXT NOT NULL,
  mime TEXT NOT NULL,
  size BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  measures TEXT,
  created BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  current BIGINT NOT NULL
);
CREATE INDEX case_file_case ON case_file (case_id, current);
CREATE INDEX case_file_vault ON case_file (vault);

CREATE TABLE case_event (
  id BIGINT PRIMARY KEY,
  case_id BIGINT NOT NULL REFERENCES cases (id),
  seq BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor_id BIGINT NOT NULL,
  actor_name TEXT,
  kind TEXT NOT NULL,
  state_from TEXT NOT NULL,
  state_to TEXT NOT NULL,
  data TEXT
);
CREATE UNIQUE INDEX case_event_seq ON case_event (case_id, seq);

CREATE TABLE payment (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  payer_id BIGINT NOT NULL REFERENCES account (id),
  org_id BIGINT NOT NULL DEFAULT 0,
  method TEXT NOT NULL,
  amount BIGINT NOT NULL,
  order_no TEXT NOT NULL,
  gateway_no TEXT,
  redirect TEXT,
  code TEXT,
  reason TEXT,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL DEFAULT 0,
  paid BIGINT NOT NULL DEFAULT 0,
  receipt_no BIGINT,
  checks BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX payment_order ON payment (order_no);
CREATE UNIQUE INDEX payment_receipt ON payment (receipt_no);
CREATE INDEX payment_open ON payment (state, created);

CREATE TABLE payment_case (
  payment_id BIGINT NOT NULL REFERENCES payment (id),
  position BIGINT NOT NULL,
  case_id BIGINT NOT NULL REFERENCES cases (id),
  PRIMARY KEY (payment_id, position)
);
CREATE INDEX payment_case_case ON payment_case (case_id);

CREATE TABLE permit (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  permit_no TEXT NOT NULL,
  code TEXT NOT NULL,
  case_id BIGINT NOT NULL REFERENCES cases (id),
  worker_id BIGINT NOT NULL REFERENCES worker (id),
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  valid_from TEXT NOT NULL,
  valid_to TEXT NOT NULL,
  issued BIGINT NOT NULL,
  ended BIGINT NOT NULL DEFAULT 0,
  reason TEXT
);
CREATE UNIQUE INDEX permit_no ON permit (permit_no);
CREATE UNIQUE INDEX permit_case ON permit (case_id);
CREATE UNIQUE INDEX permit_live ON permit (worker_id, kind) WHERE state = 'valid';

CREATE TABLE document (
  id BIGINT PRIMARY KEY,
  case_id BIGINT NOT NULL REFERENCES cases (id),
  payment_id BIGINT NOT NULL DEFAULT 0,
  kind TEXT NOT NULL,
  number TEXT NOT NULL,
  vault TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  created BIGINT NOT NULL
);
CREATE UNIQUE INDEX document_number ON document (kind, number);
CREATE INDEX document_case ON document (case_id);
CREATE INDEX document_vault ON document (vault);
CREATE INDEX document_payment ON document (payment_id);

CREATE TABLE outbox (
  id BIGINT PRIMARY KEY,
  port TEXT NOT NULL,
  op TEXT NOT NULL,
  once_key TEXT NOT NULL,
  payload TEXT NOT NULL,
  aggregate_id BIGINT NOT NULL,
  bulk BIGINT NOT NULL,
  state TEXT NOT NULL,
  attempt BIGINT NOT NULL DEFAULT 0,
  not_before BIGINT NOT NULL,
  lease_owner TEXT,
  lease_until BIGINT NOT NULL DEFAULT 0,
  created BIGINT NOT NULL,
  ended BIGINT NOT NULL DEFAULT 0,
  reason TEXT
);
CREATE UNIQUE INDEX outbox_key ON outbox (once_key);
CREATE INDEX outbox_work ON outbox (port, not_before) WHERE state IN ('ready', 'leased');
CREATE INDEX outbox_order ON outbox (aggregate_id, port, id) WHERE state IN ('ready', 'leased');
CREATE INDEX outbox_dead ON outbox (ended) WHERE state = 'dead';

CREATE TABLE inbox (
  id BIGINT PRIMARY KEY,
  plugin TEXT NOT NULL,
  body_hash TEXT NOT NULL,
  body TEXT NOT NULL,
  about TEXT,
  state TEXT NOT NULL,
  attempt BIGINT NOT NULL DEFAULT 0,
  not_before BIGINT NOT NULL,
  lease_owner TEXT,
  lease_until BIGINT NOT NULL DEFAULT 0,
  received BIGINT NOT NULL,
  ended BIGINT NOT NULL DEFAULT 0,
  reason TEXT
);
CREATE UNIQUE INDEX inbox_once ON inbox (plugin, body_hash);
CREATE INDEX inbox_work ON inbox (plugin, not_before) WHERE state IN ('ready', 'leased');

CREATE TABLE idem (
  actor_id BIGINT NOT NULL,
  request_id TEXT NOT NULL,
  body_hash TEXT,
  answer TEXT NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (actor_id, request_id)
);
CREATE INDEX idem_created ON idem (created);

CREATE TABLE counter (name TEXT PRIMARY KEY, value BIGINT NOT NULL);

CREATE TABLE lease (
  name TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  until BIGINT NOT NULL
);

CREATE TABLE rate (
  name TEXT NOT NULL,
  since BIGINT NOT NULL,
  hits BIGINT NOT NULL,
  PRIMARY KEY (name)
);

CREATE TABLE audit (
  id BIGINT PRIMARY KEY,
  aggregate TEXT NOT NULL,
  seq BIGINT NOT NULL,
  at BIGINT NOT NULL,
  actor_id BIGINT NOT NULL,
  actor TEXT,
  command TEXT NOT NULL,
  data TEXT,
  prev TEXT NOT NULL,
  hash TEXT NOT NULL,
  seal BIGINT NOT NULL DEFAULT 0
);
CREATE UNIQUE INDEX audit_chain ON audit (aggregate, seq);
CREATE INDEX audit_seal_of ON audit (seal, id);

CREATE TABLE audit_seal (
  n BIGINT PRIMARY KEY,
  at BIGINT NOT NULL,
  records BIGINT NOT NULL,
  prev TEXT NOT NULL,
  hash TEXT NOT NULL,
  signature TEXT NOT NULL
);
