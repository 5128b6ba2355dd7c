-- Payments, permits, documents, counters.

-- name: payment_load
SELECT id, version, state, payer_id, org_id, method, amount, order_no, gateway_no, redirect, code, reason,
  created, expires, paid, receipt_no, checks, promised, refunded,
  (SELECT group_concat(case_id) FROM (SELECT case_id FROM payment_case c WHERE c.payment_id = p.id
    ORDER BY c.position LIMIT 1000))
FROM payment p WHERE p.id = %lld;

-- name: payment_load [pgsql]
SELECT id, version, state, payer_id, org_id, method, amount, order_no, gateway_no, redirect, code, reason,
  created, expires, paid, receipt_no, checks, promised, refunded,
  (SELECT string_agg(CAST(c.case_id AS TEXT), ',' ORDER BY c.position) FROM payment_case c
    WHERE c.payment_id = p.id)
FROM payment p WHERE p.id = %lld;

-- name: payment_by_order
SELECT id FROM payment WHERE order_no = %s;

-- name: payment_by_gateway
SELECT id FROM payment WHERE gateway_no = %s ORDER BY created DESC LIMIT 1;

-- name: payment_insert
INSERT INTO payment (id, version, state, payer_id, org_id, method, amount, order_no, gateway_no, redirect,
  code, reason, created, expires, paid, receipt_no, checks, promised, refunded)
VALUES (%lld, %lld, %s, %lld, %lld, %s, %lld, %s, %s, %s, %s, %s, %lld, %lld, %lld, %lld, %lld, %lld, %lld);

-- name: payment_case_insert
INSERT INTO payment_case (payment_id, position, case_id) VALUES (%lld, %lld, %lld);

-- name: payment_update
UPDATE payment SET version = version + 1, state = %s, gateway_no = %s, redirect = %s, code = %s,
  reason = %s, expires = %lld, paid = %lld, receipt_no = %lld, checks = %lld,
  promised = %lld, refunded = %lld
WHERE id = %lld AND version = %lld;

-- name: payment_to_check
SELECT id FROM payment WHERE checks < %lld
  AND ((state = 'begun' AND created < %lld) OR (state = 'code' AND expires > 0 AND expires < %lld))
ORDER BY created LIMIT %lld;

-- name: payment_to_expire
SELECT id FROM payment WHERE state IN ('begun', 'code') AND expires > 0 AND expires < %lld
ORDER BY created LIMIT %lld;

-- name: payment_list_paid
SELECT p.id, p.order_no, p.gateway_no, p.method, p.amount, p.paid, p.receipt_no, p.reason, p.promised, p.refunded,
  d.id, d.case_id, 0, NULL
FROM payment p LEFT JOIN document d ON d.kind = 'receipt' AND d.number = CAST(p.receipt_no AS TEXT)
WHERE p.state = 'paid' ORDER BY p.receipt_no DESC LIMIT %lld;

-- name: payment_list_void
SELECT p.id, p.order_no, p.gateway_no, p.method, p.amount, p.paid, p.receipt_no, p.reason, p.promised, p.refunded,
  d.id, d.case_id, v.number, v.reason
FROM receipt_void v JOIN payment p ON p.id = v.payment_id
  LEFT JOIN document d ON d.kind = 'receipt' AND d.number = CAST(v.number AS TEXT)
ORDER BY v.number DESC LIMIT %lld;

-- name: receipt_void_add
INSERT INTO receipt_void (number, payment_id, at, by_id, reason) VALUES (%lld, %lld, %lld, %lld, %s);

-- Of a payment, the newest first.
-- name: receipt_void_list
SELECT number, payment_id, at, by_id, reason FROM receipt_void WHERE payment_id = %lld ORDER BY number DESC LIMIT 50;

-- name: permit_load
SELECT id, version, permit_no, code, case_id, worker_id, kind, state, valid_from, valid_to, issued, ended, reason,
  told
FROM permit WHERE id = %lld;

-- name: permit_by_no
SELECT id, version, permit_no, code, case_id, worker_id, kind, state, valid_from, valid_to, issued, ended, reason,
  told
FROM permit WHERE permit_no = %s;

-- name: permit_live
SELECT id, version, permit_no, code, case_id, worker_id, kind, state, valid_from, valid_to, issued, ended, reason,
  told
FROM permit WHERE worker_id = %lld AND kind = %s AND state = 'valid';

-- What a card replaces.
-- name: permit_lives
SELECT id, version, permit_no, code, case_id, worker_id, kind, state, valid_from, valid_to, issued, ended, reason,
  told
FROM permit WHERE worker_id = %lld AND kind IN ('epermit', 'card') AND state = 'valid' ORDER BY kind LIMIT 10;

-- The case, with its form, on which the worker's newest permit in force was given.
-- name: permit_form
SELECT c.id, c.service, c.service_hash, c.data FROM permit p JOIN cases c ON c.id = p.case_id
WHERE p.worker_id = %lld AND p.state = 'valid' ORDER BY p.issued DESC LIMIT 1;

-- name: permit_insert
INSERT INTO permit (id, version, permit_no, code, case_id, worker_id, kind, state, valid_from, valid_to,
  issued, ended, reason, told)
VALUES (%lld, %lld, %s, %s, %lld, %lld, %s, %s, %s, %s, %lld, %lld, %s, %s);

-- name: permit_update
UPDATE permit SET version = version + 1, state = %s, ended = %lld, reason = %s, told = %s
WHERE id = %lld AND version = %lld;

-- Of which the border has not heard, or heard that they are valid, which ended with the day before this one.
-- name: permit_to_tell
SELECT id FROM permit WHERE told IS NULL AND state <> 'waiting' AND valid_to >= %s
UNION ALL
SELECT id FROM permit WHERE told = 'valid' AND state = 'valid' AND valid_to < %s
LIMIT %lld;

-- name: permit_ended_since
SELECT count(*) FROM permit WHERE ended > 0 AND ended > %lld;

-- name: permit_ended_list
SELECT id, version, permit_no, code, case_id, worker_id, kind, state, valid_from, valid_to, issued, ended, reason,
  told
FROM permit WHERE ended > 0 AND (valid_to > %s OR (valid_to = %s AND permit_no > %s))
ORDER BY valid_to, permit_no LIMIT %lld;

-- name: document_insert
INSERT INTO document (id, case_id, payment_id, kind, number, vault, sha256, size, created)
VALUES (%lld, %lld, %lld, %s, %s, %s, %s, %lld, %lld);

-- name: document_load
SELECT id, case_id, payment_id, kind, number, vault, sha256, size, created FROM document WHERE id = %lld;

-- name: document_by_number
SELECT id, case_id, payment_id, kind, number, vault, sha256, size, created FROM document
WHERE kind = %s AND number = %s;

-- name: document_list
SELECT d.id, d.case_id, d.payment_id, d.kind, d.number, d.vault, d.sha256, d.size, d.created,
  (SELECT count(*) FROM receipt_void v WHERE v.payment_id = d.payment_id AND CAST(v.number AS TEXT) = d.number AND d.kind = 'receipt')
FROM document d WHERE d.case_id = %lld
UNION ALL
SELECT d.id, d.case_id, d.payment_id, d.kind, d.number, d.vault, d.sha256, d.size, d.created,
  (SELECT count(*) FROM receipt_void v WHERE v.payment_id = d.payment_id AND CAST(v.number AS TEXT) = d.number AND d.kind = 'receipt')
FROM document d WHERE d.payment_id > 0 AND d.payment_id = %lld AND d.case_id <> %lld LIMIT 100;

-- name: counter_draw
INSERT INTO counter (name, value) VALUES (%s, %lld)
ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value;
