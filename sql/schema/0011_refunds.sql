-- Money that goes back: each refund of a payment, and their sums beside its amount.
ALTER TABLE payment ADD COLUMN promised BIGINT NOT NULL DEFAULT 0;
ALTER TABLE payment ADD COLUMN refunded BIGINT NOT NULL DEFAULT 0;

CREATE TABLE refund (
  id BIGINT PRIMARY KEY,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  payment_id BIGINT NOT NULL REFERENCES payment (id),
  cases TEXT NOT NULL,
  amount BIGINT NOT NULL,
  cause TEXT NOT NULL,
  reason TEXT,
  asked_by BIGINT NOT NULL,
  before BIGINT NOT NULL,
  gateway_no TEXT,
  reference TEXT,
  trouble TEXT,
  created BIGINT NOT NULL,
  sent BIGINT NOT NULL DEFAULT 0,
  ended BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX refund_payment ON refund (payment_id, created);
CREATE INDEX refund_open ON refund (created) WHERE ended = 0;
CREATE INDEX refund_ended ON refund (ended) WHERE ended > 0;

-- Each day's comparison with the gateway's books.
CREATE TABLE settlement (
  day TEXT PRIMARY KEY,
  version BIGINT NOT NULL,
  state TEXT NOT NULL,
  asked BIGINT NOT NULL,
  closed BIGINT NOT NULL DEFAULT 0,
  lines BIGINT NOT NULL DEFAULT 0,
  taken BIGINT NOT NULL DEFAULT 0,
  paid_back BIGINT NOT NULL DEFAULT 0,
  fees BIGINT NOT NULL DEFAULT 0,
  n_differences BIGINT NOT NULL DEFAULT 0,
  differences TEXT,
  reason TEXT
);
CREATE INDEX payment_paid ON payment (paid) WHERE state = 'paid';

-- Who knows a payment by the gateway's number alone: a bank, by the account.
CREATE INDEX payment_gateway ON payment (gateway_no, created);

-- What was only marked until now waits for a cashier: it may have been paid back by hand since. A case's fee was not owed where another
-- payment paid it, or where it was closed before the money came.
INSERT INTO refund (id, version, state, payment_id, cases, amount, cause, asked_by, before, created)
  SELECT p.id + x.position, 1, 'due', p.id, CAST(c.id AS TEXT), c.fee, 'not_owed', 0, -1, p.paid
  FROM payment p JOIN payment_case x ON x.payment_id = p.id JOIN cases c ON c.id = x.case_id
  WHERE p.state = 'paid' AND p.reason = 'refund_due' AND c.fee > 0
    AND (c.payment_id <> p.id OR c.state IN ('withdrawn', 'rejected', 'expired'));
UPDATE payment SET promised = (SELECT sum(r.amount) FROM refund r WHERE r.payment_id = payment.id)
  WHERE id IN (SELECT payment_id FROM refund);
