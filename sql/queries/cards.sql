-- Cards and blanks.

-- name: job_load
SELECT id, version, job_no, case_id, round, permit_no, valid_from, valid_to, state, seq, bureau_no, card_no, spoiled,
  station, tracking, reason, code, ordered, made, sent, arrived, collected, collected_by, ask_at
FROM card_job WHERE id = %lld;

-- name: job_by_no
SELECT id FROM card_job WHERE job_no = %s;

-- The newest of a case.
-- name: job_of_case
SELECT id, version, job_no, case_id, round, permit_no, valid_from, valid_to, state, seq, bureau_no, card_no, spoiled,
  station, tracking, reason, code, ordered, made, sent, arrived, collected, collected_by, ask_at
FROM card_job WHERE case_id = %lld ORDER BY round DESC LIMIT 1;

-- Which job a card's number belongs to, but for one.
-- name: job_by_card
SELECT id FROM card_job WHERE card_no = %s AND id <> %lld LIMIT 1;

-- name: job_insert
INSERT INTO card_job (id, version, job_no, case_id, round, permit_no, valid_from, valid_to, state, seq, bureau_no, card_no, spoiled,
  station, tracking, reason, code, ordered, made, sent, arrived, collected, collected_by, ask_at)
VALUES (%lld, %lld, %s, %lld, %lld, %s, %s, %s, %s, %lld, %s, %s, %lld, %s, %s, %s, %s, %lld, %lld, %lld, %lld, %lld, %lld, %lld);

-- name: job_update
UPDATE card_job SET version = version + 1, state = %s, seq = %lld, bureau_no = %s, card_no = %s, spoiled = %lld,
  station = %s, tracking = %s, reason = %s, code = %s, made = %lld, sent = %lld, arrived = %lld, collected = %lld,
  collected_by = %lld, ask_at = %lld
WHERE id = %lld AND version = %lld;

-- What lies at a station, the longest first.
-- name: job_list_waiting
SELECT j.id, j.card_no, j.arrived, c.id, c.case_no, c.service, c.state, c.name_latin, c.name_native, c.passport_no,
  c.nationality, c.version
FROM card_job j JOIN cases c ON c.id = j.case_id
WHERE j.station = %s AND j.state = 'arrived' AND (j.arrived > %lld OR (j.arrived = %lld AND j.id > %lld))
ORDER BY j.arrived, j.id LIMIT %lld;

-- name: job_list_waiting_of
SELECT j.id, j.card_no, j.arrived, c.id, c.case_no, c.service, c.state, c.name_latin, c.name_native, c.passport_no,
  c.nationality, c.version
FROM cases c JOIN card_job j ON j.case_id = c.id
WHERE c.case_no = %s AND j.station = %s AND j.state = 'arrived' LIMIT 10;

-- On their way or at a station, the oldest first.
-- name: job_list_out
SELECT j.id, j.card_no, j.arrived, c.id, c.case_no, c.service, c.state, c.name_latin, c.name_native, c.passport_no,
  c.nationality, c.version, j.ordered, j.sent, j.tracking, j.station, j.state
FROM card_job j JOIN cases c ON c.id = j.case_id
WHERE j.state IN ('sent', 'arrived') AND (j.ordered > %lld OR (j.ordered = %lld AND j.id > %lld))
ORDER BY j.ordered, j.id LIMIT %lld;

-- name: job_list_out_of
SELECT j.id, j.card_no, j.arrived, c.id, c.case_no, c.service, c.state, c.name_latin, c.name_native, c.passport_no,
  c.nationality, c.version, j.ordered, j.sent, j.tracking, j.station, j.state
FROM card_job j JOIN cases c ON c.id = j.case_id
WHERE j.station = %s AND j.state IN ('sent', 'arrived') AND (j.ordered > %lld OR (j.ordered = %lld AND j.id > %lld))
ORDER BY j.ordered, j.id LIMIT %lld;

-- Those that a case had before its newest.
-- name: job_list_before
SELECT id, version, job_no, case_id, round, permit_no, valid_from, valid_to, state, seq, bureau_no, card_no, spoiled,
  station, tracking, reason, code, ordered, made, sent, arrived, collected, collected_by, ask_at
FROM card_job WHERE case_id = %lld AND round < %lld ORDER BY round DESC LIMIT 20;

-- name: job_to_ask
SELECT id FROM card_job WHERE ask_at > 0 AND ask_at < %lld ORDER BY ask_at LIMIT %lld;

-- name: stock_count
UPDATE card_stock SET reserved = reserved + %lld, made = made + %lld, spoiled = spoiled + %lld,
  delivered = delivered + %lld WHERE side = 'ours';

-- name: stock_load
SELECT side, store, at, blanks, reserved, made, spoiled, delivered, low_at FROM card_stock
WHERE side = 'theirs' AND store = %s;

-- name: stock_list
SELECT side, store, at, blanks, reserved, made, spoiled, delivered, low_at FROM card_stock
ORDER BY side, store LIMIT %lld;

-- name: stock_put
INSERT INTO card_stock (side, store, at, blanks, reserved, spoiled, delivered, low_at)
VALUES ('theirs', %s, %lld, %lld, %lld, %lld, %lld, %lld)
ON CONFLICT (side, store) DO UPDATE SET at = excluded.at, blanks = excluded.blanks, reserved = excluded.reserved,
  spoiled = excluded.spoiled, delivered = excluded.delivered, low_at = excluded.low_at;
