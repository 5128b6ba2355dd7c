-- Cases, their files and their history.

-- name: case_load
SELECT c.id, c.version, c.case_no, c.service, c.service_hash, c.state, c.state_since, c.worker_id,
  c.employer_id, c.agency_id, c.filer_id, c.station, c.first_reviewer, c.second_reviewer, c.return_to,
  c.editors, c.data, c.marks, c.reason, c.fee, c.payment_id, c.permit_id, c.created, c.submitted, c.due,
  c.deadline, c.turn_since, c.office_us, c.applicant_us, c.passport_no, c.nationality, c.name_latin,
  c.name_native, c.birth, c.permit_letter, c.county, o.name_zh, o.name_en
FROM cases c JOIN org o ON o.id = c.employer_id WHERE c.id = %lld;

-- name: case_load_some
SELECT c.id, c.version, c.case_no, c.service, c.service_hash, c.state, c.state_since, c.worker_id,
  c.employer_id, c.agency_id, c.filer_id, c.station, c.first_reviewer, c.second_reviewer, c.return_to,
  c.editors, c.data, c.marks, c.reason, c.fee, c.payment_id, c.permit_id, c.created, c.submitted, c.due,
  c.deadline, c.turn_since, c.office_us, c.applicant_us, c.passport_no, c.nationality, c.name_latin,
  c.name_native, c.birth, c.permit_letter, c.county, o.name_zh, o.name_en
FROM json_each('[' || %s || ']') j JOIN cases c ON c.id = j.value JOIN org o ON o.id = c.employer_id LIMIT 1000;

-- name: case_load_some [pgsql]
SELECT c.id, c.version, c.case_no, c.service, c.service_hash, c.state, c.state_since, c.worker_id,
  c.employer_id, c.agency_id, c.filer_id, c.station, c.first_reviewer, c.second_reviewer, c.return_to,
  c.editors, c.data, c.marks, c.reason, c.fee, c.payment_id, c.permit_id, c.created, c.submitted, c.due,
  c.deadline, c.turn_since, c.office_us, c.applicant_us, c.passport_no, c.nationality, c.name_latin,
  c.name_native, c.birth, c.permit_letter, c.county, o.name_zh, o.name_en
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.id = ANY(CAST(string_to_array(%s, ',') AS BIGINT[])) LIMIT 1000;

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

-- name: case_officers
SELECT a.id, a.name, a.station, a.roles,
  (SELECT count(*) FROM cases c WHERE c.first_reviewer = a.id AND c.state = 'initial_review')
FROM account a WHERE a.station = %s AND a.active = 1 AND a.roles LIKE '%%initial%%'
ORDER BY a.id LIMIT 500;

-- name: case_officers_all
SELECT a.id, a.name, a.station, a.roles,
  (SELECT count(*) FROM cases c WHERE c.first_reviewer = a.id AND c.state = 'initial_review')
FROM account a WHERE a.station <> '' AND a.active = 1 AND a.roles LIKE '%%initial%%'
ORDER BY a.id LIMIT 2000;

-- name: case_list_employer
SELECT c.id, c.case_no, c.service, c.state, c.name_latin, c.name_native, c.passport_no, c.nationality,
  c.created, c.submitted, c.due, c.deadline, c.fee, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.employer_id = %lld AND c.created < %lld AND (%s = '' OR c.state = %s)
ORDER BY c.created DESC LIMIT %lld;

-- name: case_list_agency
SELECT c.id, c.case_no, c.service, c.state, c.name_latin, c.name_native, c.passport_no, c.nationality,
  c.created, c.submitted, c.due, c.deadline, c.fee, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.agency_id = %lld AND c.created < %lld AND (%s = '' OR c.state = %s)
  AND EXISTS (SELECT 1 FROM delegation d WHERE d.agency_id = c.agency_id
    AND d.employer_id = c.employer_id AND d.revoked = 0)
ORDER BY c.created DESC LIMIT %lld;

-- name: case_list_reviewer
SELECT c.id, c.case_no, c.service, c.state, c.name_latin, c.name_native, c.passport_no, c.nationality,
  c.created, c.submitted, c.due, c.deadline, c.fee, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.first_reviewer = %lld AND c.state = %s AND (c.due, c.id) > (%lld, %lld)
ORDER BY c.due, c.id LIMIT %lld;

-- name: case_list_station
SELECT c.id, c.case_no, c.service, c.state, c.name_latin, c.name_native, c.passport_no, c.nationality,
  c.created, c.submitted, c.due, c.deadline, c.fee, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.station = %s AND c.state = %s AND c.first_reviewer <> %lld
  AND (c.due, c.id) > (%lld, %lld)
ORDER BY c.due, c.id LIMIT %lld;

-- name: case_list_state
SELECT c.id, c.case_no, c.service, c.state, c.name_latin, c.name_native, c.passport_no, c.nationality,
  c.created, c.submitted, c.due, c.deadline, c.fee, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.state = %s AND (c.due, c.id) > (%lld, %lld)
ORDER BY c.due, c.id LIMIT %lld;

-- name: case_list_search
SELECT c.id, c.case_no, c.service, c.state, c.name_latin, c.name_native, c.passport_no, c.nationality,
  c.created, c.submitted, c.due, c.deadline, c.fee, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE (c.case_no = %s OR c.passport_no = %s OR c.name_latin = %s) AND c.state <> 'draft'
ORDER BY c.created DESC LIMIT %lld;

-- name: case_list_worker
SELECT c.id, c.case_no, c.service, c.state, c.name_latin, c.name_native, c.passport_no, c.nationality,
  c.created, c.submitted, c.due, c.deadline, c.fee, o.name_zh, o.name_en, c.version
FROM cases c JOIN org o ON o.id = c.employer_id
WHERE c.worker_id = %lld AND (%lld = 0 OR c.agency_id IN (0, %lld)) ORDER BY c.created DESC LIMIT %lld;

-- name: case_filed_since
SELECT coalesce(min(submitted), 0) FROM cases WHERE worker_id = %lld AND submitted >= %lld
  AND state NOT IN ('withdrawn', 'rejected', 'expired');

-- name: case_count_reviewer
SELECT state, count(*) FROM cases WHERE first_reviewer = %lld AND state IN ('initial_review', 'returned')
GROUP BY state;

-- name: case_overdue
SELECT id, state FROM cases WHERE deadline > 0 AND deadline < %lld
  AND state IN ('draft', 'returned', 'awaiting_payment')
  AND NOT EXISTS (SELECT 1 FROM payment p WHERE p.id = cases.payment_id
    AND p.state IN ('wanted', 'begun', 'code')) ORDER BY deadline LIMIT %lld;

-- name: file_insert
INSERT INTO case_file (id, case_id, slot, vault, name, mime, size, sha256, measures, created, by_id, by_org, scan, taken_from,
  current)
VALUES (%lld, %lld, %s, %s, %s, %s, %lld, %s, %s, %lld, %lld, %lld, %s, %lld, 1);

-- name: file_list
SELECT f.id, f.case_id, f.slot, f.vault, f.name, f.mime, f.size, f.sha256, f.measures, f.created, f.by_id, f.by_org, f.scan, f.current,
  f.taken_from, c.data
FROM case_file f LEFT JOIN case_file o ON o.id = f.taken_from LEFT JOIN cases c ON c.id = o.case_id
WHERE f.case_id = %lld AND f.current = 1 ORDER BY f.id LIMIT 200;

-- name: file_history
SELECT id, case_id, slot, vault, name, mime, size, sha256, measures, created, by_id, by_org, scan, current, taken_from, NULL
FROM case_file WHERE case_id = %lld ORDER BY id LIMIT 500;

-- name: file_load
SELECT id, case_id, slot, vault, name, mime, size, sha256, measures, created, by_id, by_org, scan, current, taken_from, NULL
FROM case_file WHERE id = %lld;

-- name: file_retire
UPDATE case_file SET current = 0 WHERE id = %lld AND current = 1;

-- name: file_retire_slot
UPDATE case_file SET current = 0 WHERE case_id = %lld AND slot = %s AND current = 1;

-- name: file_judge
UPDATE case_file SET scan = %s WHERE id = %lld AND case_id = %lld AND scan = 'pending';

-- name: file_waits
SELECT f.case_id FROM json_each('[' || %s || ']') j JOIN case_file f ON f.case_id = j.value
WHERE f.scan = 'pending' AND f.current = 1 LIMIT 10000;

-- name: file_waits [pgsql]
SELECT case_id FROM case_file WHERE case_id = ANY(CAST(string_to_array(%s, ',') AS BIGINT[]))
  AND scan = 'pending' AND current = 1 LIMIT 10000;

-- Whoever judges a file and whoever files its case wait for each other. SQLite has one writer anyway.
-- name: case_hold
SELECT 1 FROM cases WHERE id = %lld;

-- name: case_hold [pgsql]
SELECT 1 FROM cases WHERE id = %lld FOR UPDATE;

-- name: event_insert
INSERT INTO case_event (id, case_id, seq, at, actor_id, actor_name, kind, state_from, state_to, data)
VALUES (%lld, %lld, (SELECT coalesce(max(seq), 0) + 1 FROM case_event WHERE case_id = %lld), %lld, %lld,
  %s, %s, %s, %s, %s);

-- name: event_list
SELECT id, case_id, seq, at, actor_id, actor_name, kind, state_from, state_to, data
FROM case_event WHERE case_id = %lld ORDER BY seq LIMIT 1000;

-- The identity check: perhaps the same person under another passport.
-- name: identity_passport
SELECT c.id, c.name_latin, w.name_latin, w.passport_no, w.id
FROM json_each('[' || %s || ']') j JOIN cases c ON c.id = j.value JOIN worker w ON w.nationality = c.nationality AND w.birth = c.birth
WHERE w.passport_no <> c.passport_no LIMIT 500;

-- name: identity_passport [pgsql]
SELECT c.id, c.name_latin, w.name_latin, w.passport_no, w.id
FROM cases c JOIN worker w ON w.nationality = c.nationality AND w.birth = c.birth
WHERE c.id = ANY(CAST(string_to_array(%s, ',') AS BIGINT[])) AND w.passport_no <> c.passport_no LIMIT 500;

-- Other open cases of that passport.
-- name: identity_open
SELECT c.id, o.id, o.case_no, o.state
FROM json_each('[' || %s || ']') j JOIN cases c ON c.id = j.value JOIN cases o ON o.passport_no = c.passport_no AND o.nationality = c.nationality
WHERE o.id <> c.id AND o.state NOT IN ('draft', 'issued', 'collected', 'rejected', 'withdrawn', 'expired') LIMIT 500;

-- name: identity_open [pgsql]
SELECT c.id, o.id, o.case_no, o.state
FROM cases c JOIN cases o ON o.passport_no = c.passport_no AND o.nationality = c.nationality
WHERE c.id = ANY(CAST(string_to_array(%s, ',') AS BIGINT[])) AND o.id <> c.id AND o.state NOT IN ('draft', 'issued', 'collected', 'rejected', 'withdrawn', 'expired') LIMIT 500;

-- The same file in a case of another worker.
-- name: identity_file
SELECT c.id, o.id, o.case_no, f.slot
FROM json_each('[' || %s || ']') j JOIN cases c ON c.id = j.value JOIN case_file f ON f.case_id = c.id AND f.current = 1
  JOIN case_file g ON g.sha256 = f.sha256 AND g.current = 1 JOIN cases o ON o.id = g.case_id
WHERE o.worker_id <> c.worker_id AND o.state <> 'draft' LIMIT 500;

-- name: identity_file [pgsql]
SELECT c.id, o.id, o.case_no, f.slot
FROM cases c JOIN case_file f ON f.case_id = c.id AND f.current = 1
  JOIN case_file g ON g.sha256 = f.sha256 AND g.current = 1 JOIN cases o ON o.id = g.case_id
WHERE c.id = ANY(CAST(string_to_array(%s, ',') AS BIGINT[])) AND o.worker_id <> c.worker_id AND o.state <> 'draft' LIMIT 500;

-- Letters of the labour agency that are in force no more.
-- name: identity_letter
SELECT c.id, r.state, r.name
FROM json_each('[' || %s || ']') j JOIN cases c ON c.id = j.value JOIN record r ON r.worker_id = c.worker_id
WHERE r.state IN ('ended', 'revoked') LIMIT 500;

-- name: identity_letter [pgsql]
SELECT c.id, r.state, r.name
FROM cases c JOIN record r ON r.worker_id = c.worker_id
WHERE c.id = ANY(CAST(string_to_array(%s, ',') AS BIGINT[])) AND r.state IN ('ended', 'revoked') LIMIT 500;

-- What the border told of the case's worker.
-- name: identity_movement
SELECT c.id, c.passport_no, r.passport_no, r.at, r.state, r.data
FROM json_each('[' || %s || ']') j JOIN cases c ON c.id = j.value JOIN record r ON r.worker_id = c.worker_id
WHERE r.kind = 'movement' LIMIT 2000;

-- name: identity_movement [pgsql]
SELECT c.id, c.passport_no, r.passport_no, r.at, r.state, r.data
FROM cases c JOIN record r ON r.worker_id = c.worker_id
WHERE c.id = ANY(CAST(string_to_array(%s, ',') AS BIGINT[])) AND r.kind = 'movement' LIMIT 2000;

-- Arrivals and departures of nobody, of that birth and under another passport.
-- name: identity_arrival
SELECT c.id, c.name_latin, r.passport_no, r.at, r.data
FROM json_each('[' || %s || ']') j JOIN cases c ON c.id = j.value JOIN record r ON r.nationality = c.nationality AND r.birth = c.birth
WHERE r.worker_id = 0 AND r.kind = 'movement' AND r.state = 'current' AND r.passport_no <> c.passport_no LIMIT 500;

-- name: identity_arrival [pgsql]
SELECT c.id, c.name_latin, r.passport_no, r.at, r.data
FROM cases c JOIN record r ON r.nationality = c.nationality AND r.birth = c.birth
WHERE c.id = ANY(CAST(string_to_array(%s, ',') AS BIGINT[])) AND r.worker_id = 0 AND r.kind = 'movement' AND r.state = 'current' AND r.passport_no <> c.passport_no LIMIT 500;

-- The letter that the case names.
-- name: identity_named
SELECT c.id, c.worker_id, r.worker_id, r.passport_no, r.name, r.data
FROM json_each('[' || %s || ']') j JOIN cases c ON c.id = j.value JOIN record r ON r.kind = 'letter' AND r.name = c.permit_letter
WHERE r.state = 'valid' LIMIT 500;

-- name: identity_named [pgsql]
SELECT c.id, c.worker_id, r.worker_id, r.passport_no, r.name, r.data
FROM cases c JOIN record r ON r.kind = 'letter' AND r.name = c.permit_letter
WHERE c.id = ANY(CAST(string_to_array(%s, ',') AS BIGINT[])) AND r.state = 'valid' LIMIT 500;

-- Filed after the legal clock had ended.
-- name: identity_late
SELECT c.id, p.days_late
FROM json_each('[' || %s || ']') j JOIN cases c ON c.id = j.value JOIN penalty p ON p.case_id = c.id
WHERE p.days_late > 0 LIMIT 500;

-- name: identity_late [pgsql]
SELECT c.id, p.days_late
FROM cases c JOIN penalty p ON p.case_id = c.id
WHERE c.id = ANY(CAST(string_to_array(%s, ',') AS BIGINT[])) AND p.days_late > 0 LIMIT 500;

-- Permits of the worker that were revoked.
-- name: identity_revoked
SELECT c.id, p.permit_no
FROM json_each('[' || %s || ']') j JOIN cases c ON c.id = j.value JOIN permit p ON p.worker_id = c.worker_id
WHERE p.state = 'revoked' AND p.case_id <> c.id LIMIT 500;

-- For each case by the index: there is one of what was revoked alone, which PostgreSQL else reads whole.
-- name: identity_revoked [pgsql]
SELECT c.id, p.permit_no
FROM cases c CROSS JOIN LATERAL (SELECT permit_no, case_id FROM permit WHERE worker_id = c.worker_id AND state = 'revoked' OFFSET 0) p
WHERE c.id = ANY(CAST(string_to_array(%s, ',') AS BIGINT[])) AND p.case_id <> c.id LIMIT 500;
