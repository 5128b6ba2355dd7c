-- The audit chain: a chain for each aggregate, sealed over all of them.

-- name: audit_last
SELECT seq, hash FROM audit WHERE aggregate = %s ORDER BY seq DESC LIMIT 1;

-- name: audit_put
INSERT INTO audit (id, aggregate, seq, at, actor_id, actor, command, data, prev, hash, seal)
VALUES (%lld, %s, %lld, %lld, %lld, %s, %s, %s, %s, %s, 0);

-- The last records of these aggregates; 0 where there is none yet.
-- name: audit_heads
SELECT j.value, coalesce((SELECT a.seq FROM audit a WHERE a.aggregate = j.value ORDER BY a.seq DESC LIMIT 1), 0),
  coalesce((SELECT a.hash FROM audit a WHERE a.aggregate = j.value ORDER BY a.seq DESC LIMIT 1), '')
FROM json_each(%s) j LIMIT 2000;

-- name: audit_heads [pgsql]
SELECT j.value, coalesce((SELECT a.seq FROM audit a WHERE a.aggregate = j.value ORDER BY a.seq DESC LIMIT 1), 0),
  coalesce((SELECT a.hash FROM audit a WHERE a.aggregate = j.value ORDER BY a.seq DESC LIMIT 1), '')
FROM json_array_elements_text(CAST(CAST(%s AS TEXT) AS JSON)) j LIMIT 2000;

-- name: audit_put_all
INSERT INTO audit (id, aggregate, seq, at, actor_id, actor, command, data, prev, hash, seal)
SELECT json_extract(r.value, '$.id'), json_extract(r.value, '$.aggregate'), json_extract(r.value, '$.seq'),
  json_extract(r.value, '$.at'), json_extract(r.value, '$.actor_id'), json_extract(r.value, '$.actor'),
  json_extract(r.value, '$.command'), json_extract(r.value, '$.data'), json_extract(r.value, '$.prev'),
  json_extract(r.value, '$.hash'), 0
FROM json_each(%s) r LIMIT 2000;

-- name: audit_put_all [pgsql]
INSERT INTO audit (id, aggregate, seq, at, actor_id, actor, command, data, prev, hash, seal)
SELECT id, aggregate, seq, at, actor_id, actor, command, data, prev, hash, 0
FROM json_to_recordset(CAST(CAST(%s AS TEXT) AS JSON)) AS r(id BIGINT, aggregate TEXT, seq BIGINT, at BIGINT, actor_id BIGINT, actor TEXT,
  command TEXT, data TEXT, prev TEXT, hash TEXT) LIMIT 2000;

-- name: audit_unsealed
SELECT id, hash FROM audit WHERE seal = 0 ORDER BY id LIMIT %lld;

-- name: audit_mark
UPDATE audit SET seal = %lld
WHERE seal = 0 AND id IN (SELECT j.value FROM json_each('[' || %s || ']') j LIMIT 2000);

-- name: audit_mark [pgsql]
UPDATE audit SET seal = %lld WHERE seal = 0 AND id = ANY(CAST(string_to_array(%s, ',') AS BIGINT[]));

-- name: audit_seal_last
SELECT n, hash FROM audit_seal ORDER BY n DESC LIMIT 1;

-- name: audit_seal_put
INSERT INTO audit_seal (n, at, records, prev, hash, signature) VALUES (%lld, %lld, %lld, %s, %s, %s);

-- name: audit_seal_list
SELECT n, at, records, prev, hash, signature FROM audit_seal WHERE n > %lld ORDER BY n LIMIT %lld;

-- name: audit_of_seal
SELECT id, hash FROM audit WHERE seal = %lld ORDER BY id;

-- name: audit_walk
SELECT id, aggregate, seq, at, actor_id, actor, command, data, prev, hash, seal FROM audit
WHERE aggregate > %s OR (aggregate = %s AND seq > %lld) ORDER BY aggregate, seq LIMIT %lld;

-- name: audit_recent
SELECT id, aggregate, seq, at, actor_id, actor, command, data, prev, hash, seal FROM audit
WHERE id < %lld ORDER BY id DESC LIMIT %lld;

-- name: audit_page
SELECT id, aggregate, seq, at, actor_id, actor, command, data, prev, hash, seal FROM audit
WHERE seal = %lld AND id > %lld ORDER BY id LIMIT %lld;

-- How far the seals have gone on their way out of the house.
-- name: audit_way
SELECT coalesce((SELECT max(n) FROM audit_seal), 0),
  coalesce((SELECT value FROM counter WHERE name = 'audit.enqueued'), 0),
  (SELECT count(*) FROM outbox WHERE port = 'audit' AND state IN ('ready', 'leased'));

-- name: audit_way_set
INSERT INTO counter (name, value) VALUES ('audit.enqueued', %lld)
ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE counter.value = %lld;
