-- Cards that are on their way or lie at a station, the oldest first: what a dispatcher, and what a station looks over.
CREATE INDEX card_job_out ON card_job (ordered, id) WHERE state IN ('sent', 'arrived');
CREATE INDEX card_job_out_of ON card_job (station, ordered, id) WHERE state IN ('sent', 'arrived');

-- A case has one permit, beside those of cards that were lost before they were handed out.
DROP INDEX permit_case;
CREATE UNIQUE INDEX permit_case ON permit (case_id) WHERE reason IS NULL OR reason <> 'card_lost';

-- A file that was taken over from an earlier case of the worker: the row that it was taken from, whose file of the vault it shares.
ALTER TABLE case_file ADD COLUMN taken_from BIGINT NOT NULL DEFAULT 0;

-- Receipts that a cashier voided: the payment has a newer one. Their numbers stay taken.
CREATE TABLE receipt_void (
  number BIGINT PRIMARY KEY,
  payment_id BIGINT NOT NULL REFERENCES payment (id),
  at BIGINT NOT NULL,
  by_id BIGINT NOT NULL,
  reason TEXT NOT NULL
);
CREATE INDEX receipt_void_payment ON receipt_void (payment_id, number);
