-- Fines, and what the fines system knows of a case.

-- name: penalty_load
SELECT p.case_id, p.version, p.told, p.days_late, p.entered, p.file_by, p.answered,
  (SELECT count(*) FROM fine f WHERE f.case_id = p.case_id AND f.state = 'open'),
  (SELECT count(*) FROM fine f WHERE f.case_id = p.case_id)
FROM penalty p WHERE p.case_id = %lld;

-- name: penalty_insert
INSERT INTO penalty (case_id, version, told, days_late, entered, file_by, answered)
VALUES (%lld, 1, %lld, %lld, %s, %lld, %lld);

-- name: penalty_update
UPDATE penalty SET version = version + 1, told = %lld, days_late = %lld, entered = %s, file_by = %lld,
  answered = %lld WHERE case_id = %lld AND version = %lld;

-- name: fine_list
SELECT id, version, fine_no, case_id, told, state, reason, amount, set_on, pay_by, paid, rule, pay_how, heard
FROM fine WHERE case_id = %lld ORDER BY set_on, id LIMIT %lld;

-- name: fine_by_no
SELECT id, version, fine_no, case_id, told, state, reason, amount, set_on, pay_by, paid, rule, pay_how, heard
FROM fine WHERE fine_no = %s;

-- name: fine_insert
INSERT INTO fine (id, version, fine_no, case_id, told, state, reason, amount, set_on, pay_by, paid, rule, pay_how, heard)
VALUES (%lld, 1, %s, %lld, %lld, %s, %s, %lld, %s, %s, %lld, %s, %s, %lld);

-- name: fine_update
UPDATE fine SET version = version + 1, told = %lld, state = %s, reason = %s, amount = %lld, set_on = %s,
  pay_by = %s, paid = %lld, rule = %s, pay_how = %s, heard = %lld WHERE id = %lld AND version = %lld;

-- name: case_of_number
SELECT id FROM cases WHERE case_no = %s;
