-- What other agencies say.

-- name: record_load
SELECT id, version, kind, name, state, nationality, passport_no, birth, worker_id, at, data, heard
FROM record WHERE id = %lld;

-- name: record_by_name
SELECT id, version, kind, name, state, nationality, passport_no, birth, worker_id, at, data, heard
FROM record WHERE kind = %s AND name = %s;

-- name: record_insert
INSERT INTO record (id, version, kind, name, state, nationality, passport_no, birth, worker_id, at, data, heard)
VALUES (%lld, %lld, %s, %s, %s, %s, %s, %s, %lld, %lld, %s, %lld);

-- name: record_update
UPDATE record SET version = version + 1, state = %s, nationality = %s, passport_no = %s, birth = %s,
  worker_id = %lld, at = %lld, data = %s, heard = %lld WHERE id = %lld AND version = %lld;

-- name: record_of_worker
SELECT id, version, kind, name, state, nationality, passport_no, birth, worker_id, at, data, heard
FROM record WHERE worker_id = %lld ORDER BY at DESC LIMIT %lld;

-- Of a passport's holder, while nobody of ours is it.
-- name: record_of_nobody
SELECT id, version, kind, name, state, nationality, passport_no, birth, worker_id, at, data, heard
FROM record WHERE nationality = %s AND passport_no = %s AND worker_id = 0 ORDER BY at DESC LIMIT %lld;

-- name: record_open
SELECT id, version, kind, name, state, nationality, passport_no, birth, worker_id, at, data, heard
FROM record WHERE kind = %s AND worker_id = 0 ORDER BY heard DESC, id DESC LIMIT %lld;

-- Who of ours may be the person of an open record: of that birth under whatever passport, or of that passport whatever the birth.
-- name: record_near
SELECT r.id, w.id, w.name_latin, w.passport_no, w.birth, o.name_zh, o.name_en
FROM record r JOIN worker w ON w.nationality = r.nationality AND (w.birth = r.birth OR w.passport_no = r.passport_no)
  JOIN org o ON o.id = w.employer_id
WHERE r.kind = %s AND r.worker_id = 0 ORDER BY r.heard DESC, r.id DESC LIMIT 500;

-- name: record_adopt
UPDATE record SET version = version + 1, worker_id = %lld
WHERE nationality = %s AND passport_no = %s AND birth = %s AND worker_id = 0;
