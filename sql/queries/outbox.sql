-- What is to be delivered, what came in, leases, keys.

-- Behind whatever still waits for the same aggregate and port, even where two clocks differ; by a step that
-- others do not make.
-- name: outbox_put
INSERT INTO outbox (id, port, op, once_key, payload, aggregate_id, bulk, state, not_before, created)
VALUES ((SELECT CASE WHEN max(id) >= %lld THEN max(id) + 1 + %lld ELSE %lld END FROM outbox
    WHERE aggregate_id = %lld AND port = %s AND state IN ('ready', 'leased')),
  %s, %s, %s, %s, %lld, %lld, 'ready', %lld, %lld);

-- A lease that has run out is free, and so is one that ends later than any can: the clock was set back since. The same tells of what
-- was put off by such a clock, whose lease ended when that was written: it does not wait until that time comes again.
-- name: outbox_claim
UPDATE outbox SET state = 'leased', lease_owner = %s, lease_until = %lld, attempt = attempt + 1
WHERE id = (
  SELECT o.id FROM outbox o
  WHERE o.port = %s AND o.state IN ('ready', 'leased') AND o.bulk <= %lld
    AND (o.state = 'ready' AND o.not_before <= %lld OR o.state = 'leased' AND o.lease_until < %lld OR o.lease_until > %lld)
    AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.aggregate_id = o.aggregate_id AND p.port = o.port
      AND p.id < o.id AND p.state IN ('ready', 'leased'))
  ORDER BY o.bulk, o.not_before, o.id LIMIT 1)
RETURNING id, port, op, once_key, payload, aggregate_id, bulk, attempt, attempt - tried_before, created;

-- name: outbox_claim [pgsql]
UPDATE outbox SET state = 'leased', lease_owner = %s, lease_until = %lld, attempt = attempt + 1
WHERE id = (
  SELECT o.id FROM outbox o
  WHERE o.port = %s AND o.state IN ('ready', 'leased') AND o.bulk <= %lld
    AND (o.state = 'ready' AND o.not_before <= %lld OR o.state = 'leased' AND o.lease_until < %lld OR o.lease_until > %lld)
    AND NOT EXISTS (SELECT 1 FROM outbox p WHERE p.aggregate_id = o.aggregate_id AND p.port = o.port
      AND p.id < o.id AND p.state IN ('ready', 'leased'))
  ORDER BY o.bulk, o.not_before, o.id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, port, op, once_key, payload, aggregate_id, bulk, attempt, attempt - tried_before, created;

-- name: outbox_peek
SELECT 1 FROM outbox WHERE port = %s AND state IN ('ready', 'leased') AND bulk <= %lld
  AND (state = 'ready' AND not_before <= %lld OR state = 'leased' AND lease_until < %lld OR lease_until > %lld) LIMIT 1;

-- name: outbox_done
UPDATE outbox SET state = 'done', ended = %lld, reason = %s
WHERE id = %lld AND attempt = %lld AND state = 'leased';

-- name: outbox_again
UPDATE outbox SET state = 'ready', not_before = %lld, lease_until = %lld, reason = %s
WHERE id = %lld AND attempt = %lld AND state = 'leased';

-- name: outbox_dead
UPDATE outbox SET state = 'dead', ended = %lld, reason = %s
WHERE id = %lld AND attempt = %lld AND state = 'leased';

-- name: outbox_keep
UPDATE outbox SET lease_until = %lld WHERE id = %lld AND attempt = %lld AND state = 'leased';

-- name: outbox_reclaim
UPDATE outbox SET lease_until = 0 WHERE state IN ('ready', 'leased') AND state = 'leased' AND lease_until > 0
  AND substr(lease_owner, 1, CAST(%lld AS INTEGER)) = %s;

-- name: inbox_reclaim
UPDATE inbox SET lease_until = 0 WHERE state IN ('ready', 'leased') AND state = 'leased' AND lease_until > 0
  AND substr(lease_owner, 1, CAST(%lld AS INTEGER)) = %s;

-- name: outbox_replay
UPDATE outbox SET state = 'ready', not_before = 0, ended = 0, created = %lld, tried_before = attempt
WHERE id = %lld AND state = 'dead';

-- name: outbox_counts
SELECT port, state, count(*), min(created) FROM outbox WHERE state IN ('ready', 'leased')
GROUP BY port, state
UNION ALL
SELECT port, state, count(*), min(created) FROM outbox WHERE state = 'dead' GROUP BY port, state;

-- name: outbox_purge
DELETE FROM outbox WHERE state IN ('done', 'dropped') AND ended < %lld;

-- name: inbox_put
INSERT INTO inbox (id, plugin, about, body_hash, body, state, not_before, received)
VALUES (%lld, %s, %s, %s, %s, 'ready', 0, %lld) ON CONFLICT (plugin, body_hash) DO NOTHING;

-- name: inbox_claim
UPDATE inbox SET state = 'leased', lease_owner = %s, lease_until = %lld, attempt = attempt + 1
WHERE id = (SELECT i.id FROM inbox i WHERE i.plugin = %s AND i.state IN ('ready', 'leased')
    AND (i.state = 'ready' AND i.not_before <= %lld OR i.state = 'leased' AND i.lease_until < %lld OR i.lease_until > %lld)
  ORDER BY i.not_before, i.id LIMIT 1)
RETURNING id, plugin, about, body, attempt, received, attempt - tried_before;

-- name: inbox_claim [pgsql]
UPDATE inbox SET state = 'leased', lease_owner = %s, lease_until = %lld, attempt = attempt + 1
WHERE id = (SELECT i.id FROM inbox i WHERE i.plugin = %s AND i.state IN ('ready', 'leased')
    AND (i.state = 'ready' AND i.not_before <= %lld OR i.state = 'leased' AND i.lease_until < %lld OR i.lease_until > %lld)
  ORDER BY i.not_before, i.id LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING id, plugin, about, body, attempt, received, attempt - tried_before;

-- name: inbox_end
UPDATE inbox SET state = %s, ended = %lld, reason = %s
WHERE id = %lld AND attempt = %lld AND state = 'leased';

-- name: inbox_again
UPDATE inbox SET state = 'ready', not_before = %lld, lease_until = %lld, reason = %s
WHERE id = %lld AND attempt = %lld AND state = 'leased';

-- name: inbox_purge
DELETE FROM inbox WHERE state <> 'ready' AND state <> 'leased' AND ended < %lld;

-- name: lease_take
INSERT INTO lease (name, owner, until) VALUES (%s, %s, %lld)
ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, until = excluded.until
WHERE lease.owner = excluded.owner OR lease.until NOT BETWEEN %lld AND %lld;

-- name: lease_give
UPDATE lease SET until = 0 WHERE name = %s AND owner = %s;

-- name: idem_get
SELECT body_hash, answer FROM idem WHERE actor_id = %lld AND request_id = %s;

-- name: idem_put
INSERT INTO idem (actor_id, request_id, body_hash, answer, created) VALUES (%lld, %s, %s, %s, %lld);

-- name: idem_purge
DELETE FROM idem WHERE created < %lld;

-- name: service_put
INSERT INTO service_version (hash, code, xml, created) VALUES (%s, %s, %s, %lld)
ON CONFLICT (hash) DO NOTHING;

-- name: service_all
SELECT hash, code, xml FROM service_version ORDER BY created LIMIT 10000;

-- name: service_by_hash
SELECT hash, code, xml FROM service_version WHERE hash = %s;

-- name: inbox_peek
SELECT 1 FROM inbox WHERE plugin = %s AND state IN ('ready', 'leased')
  AND (state = 'ready' AND not_before <= %lld OR state = 'leased' AND lease_until < %lld OR lease_until > %lld) LIMIT 1;
