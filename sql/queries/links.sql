-- The links to other systems, what waits behind them, and dead letters.

-- name: link_put
INSERT INTO link (plugin, node, port, state, since, failures, last_ok, error, next_probe)
VALUES (%s, %s, %s, %s, %lld, %lld, %lld, %s, %lld)
ON CONFLICT (plugin, node) DO UPDATE SET port = excluded.port, state = excluded.state, since = excluded.since,
  failures = excluded.failures, last_ok = excluded.last_ok, error = excluded.error,
  next_probe = excluded.next_probe;

-- name: link_of_node
SELECT plugin, node, port, state, since, failures, last_ok, error, next_probe FROM link WHERE node = %s
ORDER BY plugin LIMIT 1000;

-- name: link_pause
INSERT INTO link_pause (plugin, since, actor_id, actor, reason) VALUES (%s, %lld, %lld, %s, %s);

-- name: link_resume
DELETE FROM link_pause WHERE plugin = %s;

-- name: link_pauses
SELECT plugin, since, actor, reason FROM link_pause ORDER BY plugin LIMIT 1000;

-- name: link_is_paused
SELECT 1 FROM link_pause WHERE plugin = %s;

-- Held back, or down and no node has done better since: the row of one that is gone tells nothing.
-- name: link_outage
SELECT 'paused', since FROM link_pause WHERE plugin = %s
UNION ALL
SELECT 'down', min(l.since) FROM link l WHERE l.plugin = %s AND l.state = 'down' AND NOT EXISTS (
  SELECT 1 FROM link o WHERE o.plugin = l.plugin AND o.state <> 'down' AND o.last_ok >= l.since)
GROUP BY l.plugin;

-- What failed while the link was down need not sit out its own wait.
-- name: link_hurry
UPDATE outbox SET not_before = %lld
WHERE port = %s AND state IN ('ready', 'leased') AND state = 'ready' AND not_before > %lld
  AND attempt > tried_before;

-- name: link_waiting
SELECT o.port, count(DISTINCT o.id), min(o.created), count(DISTINCT c.id)
FROM outbox o LEFT JOIN payment_case pc ON pc.payment_id = o.aggregate_id
  LEFT JOIN cases c ON c.id = coalesce(pc.case_id, o.aggregate_id)
WHERE o.state IN ('ready', 'leased') GROUP BY o.port ORDER BY o.port;

-- name: link_dead
SELECT port, count(*) FROM outbox WHERE state = 'dead' GROUP BY port ORDER BY port;

-- name: link_dead_messages
SELECT plugin, count(*) FROM inbox WHERE state = 'dead' GROUP BY plugin ORDER BY plugin;

-- name: status_cases
SELECT state, count(*), sum(CASE WHEN due > 0 AND due < %lld THEN 1 ELSE 0 END) FROM cases
GROUP BY state ORDER BY state;

-- name: status_audit
SELECT count(*), min(at), coalesce((SELECT max(n) FROM audit_seal), 0) FROM audit WHERE seal = 0;

-- ---- letters ----

-- name: letter_list
SELECT id, port, op, once_key, payload, aggregate_id, attempt, created, ended, reason FROM outbox
WHERE state = 'dead' ORDER BY ended DESC LIMIT %lld;

-- name: letter_load
SELECT id, port, op, once_key, payload, aggregate_id, attempt, created, ended, reason FROM outbox
WHERE id = %lld AND state = 'dead';

-- name: letter_cases
SELECT c.id, c.case_no FROM cases c WHERE c.id = %lld
UNION
SELECT c.id, c.case_no FROM payment_case p JOIN cases c ON c.id = p.case_id WHERE p.payment_id = %lld
ORDER BY 1 LIMIT 100;

-- name: letter_mend
UPDATE outbox SET payload = %s WHERE id = %lld AND state = 'dead' AND payload = %s;

-- name: letter_drop
UPDATE outbox SET state = 'dropped', ended = %lld, reason = %s WHERE id = %lld AND state = 'dead';

-- name: message_list
SELECT id, plugin, about, body_hash, length(body), attempt, received, ended, reason FROM inbox
WHERE state = 'dead' ORDER BY ended DESC LIMIT %lld;

-- name: message_load
SELECT id, plugin, about, body_hash, length(body), attempt, received, ended, reason FROM inbox
WHERE id = %lld AND state = 'dead';

-- name: message_replay
UPDATE inbox SET state = 'ready', not_before = 0, ended = 0, received = %lld, tried_before = attempt
WHERE id = %lld AND state = 'dead';
