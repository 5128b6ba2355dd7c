-- Payments, permits, documents, counters.

-- name: payment_load
SELECT id, version, state, payer_id, org_id, method, amount, order_no, gateway_no, redirect, code, reason,
  created, expires, paid, receipt_no, checks FROM payment WHERE id = %lld;

-- name: payment_by_order
SELECT id FROM payment WHERE order_no = %s;

-- name: payment_cases
SELECT case_id FROM payment_case WHERE payment_id = %lld ORDER BY position LIMIT 1000;

-- name: payment_insert
INSERT INTO payment (id, version, state, payer_id, org_id, method, amount, order_no, gateway_no, redirect,
  code, reason, created, expires, paid, receipt_no, checks)
VALUES (%lld, %lld, %s, %lld, %lld, %s, %lld, %s, %s, %s, %s, %s, %lld, %lld, %lld, %lld, %lld);

-- name: payment_case_insert
INSERT INTO payment_case (payment_id, position, case_id) VALUES (%lld, %lld, %lld);

-- name: payment_update
UPDATE payment SET version = version + 1, state = %s, gateway_no = %s, redirect = %s, code = %s,
  reason = %s, expires = %lld, paid = %lld, receipt_no = %lld, checks = %lld
WHERE id = %lld AND version = %lld;

-- name: payment_to_check
SELECT id FROM payment WHERE checks < %lld
  AND ((state = 'begun' AND created < %lld) OR (state = 'code' AND expires > 0 AND expires < %lld))
ORDER BY created LIMIT %lld;

-- name: payment_to_expire
SELECT id FROM payment WHERE state IN ('begun', 'code') AND expires > 0 AND expires < %lld
ORDER BY created LIMIT %lld;

-- name: payment_list_paid
SELECT p.id, p.order_no, p.gateway_no, p.method, p.amount, p.paid, p.receipt_no, p.reason
FROM payment p WHERE p.state = 'paid' ORDER BY p.receipt_no DESC LIMIT %lld;

-- name: permit_load
SELECT id, version, permit_no, code, case_id, worker_id, kind, state, valid_from, valid_to, issued, ended, reason
FROM permit WHERE id = %lld;

-- name: permit_by_no
SELECT id, version, permit_no, code, case_id, worker_id, kind, state, valid_from, valid_to, issued, ended, reason
FROM permit WHERE permit_no = %s;

-- name: permit_live
SELECT id, version, permit_no, code, case_id, worker_id, kind, state, valid_from, valid_to, issued, ended, reason
FROM permit WHERE worker_id = %lld AND kind = %s AND state = 'valid';

-- name: permit_insert
INSERT INTO permit (id, version, permit_no, code, case_id, worker_id, kind, state, valid_from, valid_to,
  issued, ended, reason)
VALUES (%lld, %lld, %s, %s, %lld, %lld, %s, %s, %s, %s, %lld, %lld, %s);

-- name: permit_update
UPDATE permit SET version = version + 1, state = %s, ended = %lld, reason = %s
WHERE id = %lld AND version = %lld;

-- name: document_insert
INSERT INTO document (id, case_id, payment_id, kind, number, vault, sha256, size, created)
VALUES (%lld, %lld, %lld, %s, %s, %s, %s, %lld, %lld);

-- name: document_load
SELECT id, case_id, payment_id, kind, number, vault, sha256, size, created FROM document WHERE id = %lld;

-- name: document_by_number
SELECT id, case_id, payment_id, kind, number, vault, sha256, size, created FROM document
WHERE kind = %s AND number = %s;

-- name: document_list
SELECT id, case_id, payment_id, kind, number, vault, sha256, size, created FROM document
WHERE case_id = %lld OR (payment_id <> 0 AND payment_id = %lld) ORDER BY created LIMIT 100;

-- name: counter_draw
INSERT INTO counter (name, value) VALUES (%s, %lld)
ON CONFLICT (name) DO UPDATE SET value = counter.value + 1 RETURNING value;
