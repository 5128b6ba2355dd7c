-- Questions to the labour agency.

-- name: question_load
SELECT id, version, state, worker_id, letter_no, case_id, asked_by, asked, ended
FROM question WHERE id = %lld;

-- name: question_newest
SELECT id, version, state, worker_id, letter_no, case_id, asked_by, asked, ended
FROM question WHERE worker_id = %lld AND letter_no = %s ORDER BY asked DESC, id DESC LIMIT 1;

-- name: question_of_worker
SELECT id, version, state, worker_id, letter_no, case_id, asked_by, asked, ended
FROM question WHERE worker_id = %lld ORDER BY asked DESC, id DESC LIMIT %lld;

-- name: question_count
SELECT count(*) FROM question WHERE asked_by = %lld AND asked > %lld;

-- name: question_insert
INSERT INTO question (id, version, state, worker_id, letter_no, case_id, asked_by, asked, ended)
VALUES (%lld, 1, %s, %lld, %s, %lld, %lld, %lld, %lld);

-- name: question_update
UPDATE question SET version = version + 1, state = %s, ended = %lld WHERE id = %lld AND version = %lld;
