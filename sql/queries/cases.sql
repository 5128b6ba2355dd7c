-- Cases, their files and their history.

-- name: case_load
SELECT id, version, case_no, service, service_hash, state, state_since, worker_id, employer_id,
  agency_id, filer_id, station, first_reviewer, second_reviewer, return_to, editors, data,
  marks, reason, fee, payment_id, permit_id, created, submitted, due, deadline, turn_since,
  office_us, applicant_us, passport_no, nationality, name_latin, name_native, birth,
  permit_letter, county
FROM cases WHERE id = %lld;

-- name: case_insert
INSERT INTO cases (id, version, case_no, service, service_hash, state, state_since, worker_id,
  employer_id, agency_id, filer_id, station, first_reviewer, second_reviewer, return_to,
  editors, data, marks, reason, fee, payment_id, permit_id, created, submitted, due, deadline,
  turn_since, office_us, applicant_us, passport_no, nationality, name_latin, name_native, birth,
  permit_letter, county)
VALUES (%lld, %lld, %s, %s, %s, %s, %lld, %lld, %lld, %lld, %lld, %s, %lld, %lld, %s, %s, %s,
  %s, %s, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %s, %s, %s, %s, %s, %s,
  %s);

-- name: case_update
UPDATE cases SET version = version + 1, case_no = %s, state = %s, state_since = %lld, station =
  %s, first_reviewer = %lld, second_reviewer = %lld, return_to = %s, editors = %s, data = %s,
  marks = %s, reason = %s, fee = %lld, payment_id = %lld, permit_id = %lld, submitted = %lld,
  due = %lld, deadline = %lld, turn_since = %lld, office_us = %lld, applicant_us = %lld,
  passport_no = %s, nationality = %s, name_latin = %s, name_native = %s, birth = %s,
  permit_letter = %s, county = %s
WHERE id = %lld AND version = %lld;

-- name: case_id_by_no
SELECT id FROM cases WHERE case_no = %s;

-- name: case_officers
SELECT a.id, a.name, a.roles,
  (SELECT count(*) FROM cases c WHERE c.first_reviewer = a.id AND c.state = 'initial_review')
FROM account a WHERE a.station = %s AND a.active = 1 AND a.roles LIKE '%%initial%%'
ORDER BY a.id LIMIT 500;

-- name: case_list_employer
SELECT c.id, c.case_no, c.service, c.state, c.state_since, c.worker_id, c.employer_id, c.name_latin,
  c.name_native, c.passport_no, c.nationality, c.created, c.submitted, c.due, c.deadline, c.fee,
  c.payment_id, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.employer_id = %lld AND c.created < %lld AND (%s = '' OR c.state = %s)
ORDER BY c.created DESC LIMIT %lld;

-- name: case_list_agency
SELECT c.id, c.case_no, c.service, c.state, c.state_since, c.worker_id, c.employer_id, c.name_latin,
  c.name_native, c.passport_no, c.nationality, c.created, c.submitted, c.due, c.deadline, c.fee,
  c.payment_id, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.agency_id = %lld AND c.created < %lld AND (%s = '' OR c.state = %s)
  AND EXISTS (SELECT 1 FROM delegation d WHERE d.agency_id = c.agency_id
    AND d.employer_id = c.employer_id AND d.revoked = 0)
ORDER BY c.created DESC LIMIT %lld;

-- name: case_list_reviewer
SELECT c.id, c.case_no, c.service, c.state, c.state_since, c.worker_id, c.employer_id, c.name_latin,
  c.name_native, c.passport_no, c.nationality, c.created, c.submitted, c.due, c.deadline, c.fee,
  c.payment_id, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.first_reviewer = %lld AND c.state = %s AND (c.due, c.id) > (%lld, %lld)
ORDER BY c.due, c.id LIMIT %lld;

-- name: case_list_station
SELECT c.id, c.case_no, c.service, c.state, c.state_since, c.worker_id, c.employer_id, c.name_latin,
  c.name_native, c.passport_no, c.nationality, c.created, c.submitted, c.due, c.deadline, c.fee,
  c.payment_id, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.station = %s AND c.state = %s AND c.first_reviewer <> %lld
  AND (c.due, c.id) > (%lld, %lld)
ORDER BY c.due, c.id LIMIT %lld;

-- name: case_list_state
SELECT c.id, c.case_no, c.service, c.state, c.state_since, c.worker_id, c.employer_id, c.name_latin,
  c.name_native, c.passport_no, c.nationality, c.created, c.submitted, c.due, c.deadline, c.fee,
  c.payment_id, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.state = %s AND (c.due, c.id) > (%lld, %lld)
ORDER BY c.due, c.id LIMIT %lld;

-- name: case_list_search
SELECT c.id, c.case_no, c.service, c.state, c.state_since, c.worker_id, c.employer_id, c.name_latin,
  c.name_native, c.passport_no, c.nationality, c.created, c.submitted, c.due, c.deadline, c.fee,
  c.payment_id, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.id IN (SELECT id FROM cases WHERE case_no = %s UNION SELECT id FROM cases WHERE passport_no = %s
  UNION SELECT id FROM cases WHERE name_latin = %s) AND c.state <> 'draft'
ORDER BY c.created DESC LIMIT %lld;

-- name: case_list_worker
SELECT c.id, c.case_no, c.service, c.state, c.state_since, c.worker_id, c.employer_id, c.name_latin,
  c.name_native, c.passport_no, c.nationality, c.created, c.submitted, c.due, c.deadline, c.fee,
  c.payment_id, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.worker_id = %lld AND (%lld = 0 OR c.agency_id IN (0, %lld)) ORDER BY c.created DESC LIMIT %lld;

-- name: case_count_reviewer
SELECT state, count(*) FROM cases WHERE first_reviewer = %lld AND state IN ('initial_review', 'returned')
GROUP BY state;

-- name: case_overdue
SELECT id, state FROM cases WHERE deadline > 0 AND deadline < %lld
  AND state IN ('draft', 'returned', 'awaiting_payment')
  AND NOT EXISTS (SELECT 1 FROM payment p WHERE p.id = cases.payment_id
    AND p.state IN ('wanted', 'begun', 'code')) ORDER BY deadline LIMIT %lld;

-- name: file_insert
INSERT INTO case_file (id, case_id, slot, vault, name, mime, size, sha256, measures, created, by_id, current)
VALUES (%lld, %lld, %s, %s, %s, %s, %lld, %s, %s, %lld, %lld, 1);

-- name: file_list
SELECT id, case_id, slot, vault, name, mime, size, sha256, measures, created, by_id, current
FROM case_file WHERE case_id = %lld AND current = 1 ORDER BY id LIMIT 200;

-- name: file_history
SELECT id, case_id, slot, vault, name, mime, size, sha256, measures, created, by_id, current
FROM case_file WHERE case_id = %lld ORDER BY id LIMIT 500;

-- name: file_load
SELECT id, case_id, slot, vault, name, mime, size, sha256, measures, created, by_id, current
FROM case_file WHERE id = %lld;

-- name: file_retire
UPDATE case_file SET current = 0 WHERE id = %lld AND current = 1;

-- name: file_retire_slot
UPDATE case_file SET current = 0 WHERE case_id = %lld AND slot = %s AND current = 1;

-- name: event_insert
INSERT INTO case_event (id, case_id, seq, at, actor_id, actor_name, kind, state_from, state_to, data)
VALUES (%lld, %lld, (SELECT coalesce(max(seq), 0) + 1 FROM case_event WHERE case_id = %lld), %lld, %lld,
  %s, %s, %s, %s, %s);

-- name: event_list
SELECT id, case_id, seq, at, actor_id, actor_name, kind, state_from, state_to, data
FROM case_event WHERE case_id = %lld ORDER BY seq LIMIT 1000;
