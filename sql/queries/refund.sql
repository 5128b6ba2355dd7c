-- Money that goes back.

-- name: refund_load
SELECT id, version, state, payment_id, cases, amount, cause, reason, asked_by, before, gateway_no, reference, trouble,
  created, sent, ended
FROM refund WHERE id = %lld;

-- name: refund_insert
INSERT INTO refund (id, version, state, payment_id, cases, amount, cause, reason, asked_by, before, gateway_no,
  reference, trouble, created, sent, ended)
VALUES (%lld, %lld, %s, %lld, %s, %lld, %s, %s, %lld, %lld, %s, %s, %s, %lld, %lld, %lld);

-- name: refund_update
UPDATE refund SET version = version + 1, state = %s, reason = %s, asked_by = %lld, before = %lld, gateway_no = %s,
  reference = %s, trouble = %s, sent = %lld, ended = %lld
WHERE id = %lld AND version = %lld;

-- name: refund_of_payment
SELECT id, version, state, payment_id, cases, amount, cause, reason, asked_by, before, gateway_no, reference, trouble,
  created, sent, ended
FROM refund WHERE payment_id = %lld ORDER BY created LIMIT %lld;

-- name: refund_list_open
SELECT r.id, r.version, r.state, r.payment_id, r.cases, r.amount, r.cause, r.reason, r.asked_by, r.before,
  r.gateway_no, r.reference, r.trouble, r.created, r.sent, r.ended, p.order_no, p.method, p.receipt_no, p.amount
FROM refund r JOIN payment p ON p.id = r.payment_id
WHERE r.ended = 0 ORDER BY r.created LIMIT %lld;

-- name: refund_list_ended
SELECT r.id, r.version, r.state, r.payment_id, r.cases, r.amount, r.cause, r.reason, r.asked_by, r.before,
  r.gateway_no, r.reference, r.trouble, r.created, r.sent, r.ended, p.order_no, p.method, p.receipt_no, p.amount
FROM refund r JOIN payment p ON p.id = r.payment_id
WHERE r.ended > 0 ORDER BY r.ended DESC LIMIT %lld;
