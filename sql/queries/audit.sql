-- The audit chain: a chain for each aggregate, sealed over all of them.

-- name: audit_last
SELECT seq, hash FROM audit WHERE aggregate = %s ORDER BY seq DESC LIMIT 1;

-- name: audit_put
INSERT INTO audit (id, aggregate, seq, at, actor_id, actor, command, data, prev, hash, seal)
VALUES (%lld, %s, %lld, %lld, %lld, %s, %s, %s, %s, %s, 0);

-- name: audit_unsealed
SELECT id, hash FROM audit WHERE seal = 0 ORDER BY id LIMIT %lld;

-- name: audit_mark
UPDATE audit SET seal = %lld WHERE id = %lld AND seal = 0;

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
