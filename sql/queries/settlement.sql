-- The settlement of a day.

-- name: settlement_load
SELECT day, version, state, asked, closed, lines, taken, paid_back, fees, n_differences, differences, reason
FROM settlement WHERE day = %s;

-- name: settlement_list
SELECT day, version, state, asked, closed, lines, taken, paid_back, fees, n_differences, NULL, reason
FROM settlement ORDER BY day DESC LIMIT %lld;

-- name: settlement_insert
INSERT INTO settlement (day, version, state, asked, closed, lines, taken, paid_back, fees, n_differences, differences, reason)
VALUES (%s, 1, %s, %lld, %lld, %lld, %lld, %lld, %lld, %lld, %s, %s);

-- name: settlement_update
UPDATE settlement SET version = version + 1, state = %s, asked = %lld, closed = %lld, lines = %lld, taken = %lld,
  paid_back = %lld, fees = %lld, n_differences = %lld, differences = %s, reason = %s
WHERE day = %s AND version = %lld;

-- name: settlement_payments
SELECT id, order_no, amount FROM payment WHERE state = 'paid' AND paid BETWEEN %lld AND %lld;

-- name: settlement_refunds
SELECT p.id, p.order_no, r.amount FROM refund r JOIN payment p ON p.id = r.payment_id
WHERE r.ended > 0 AND r.ended BETWEEN %lld AND %lld AND r.sent >= %lld AND r.reference IS NULL;

-- name: settlement_refunded
SELECT count(*) FROM refund r WHERE r.payment_id = %lld AND r.amount = %lld AND r.state = 'done' AND r.reference IS NULL;

-- name: settlement_any_paid
SELECT 1 FROM payment WHERE state = 'paid' AND paid > 0 AND paid < %lld LIMIT 1;
