-- Lists come in their index's order, so that nothing is sorted; what is next for a port is found without a look at all that waits.
CREATE INDEX case_file_now ON case_file (case_id, current, id);
CREATE INDEX case_file_all ON case_file (case_id, id);
CREATE INDEX document_of_case ON document (case_id, created);
CREATE INDEX document_of_payment ON document (payment_id, created) WHERE payment_id > 0;
CREATE INDEX outbox_next ON outbox (port, bulk, not_before, id) WHERE state IN ('ready', 'leased');
CREATE INDEX inbox_next ON inbox (plugin, not_before, id) WHERE state IN ('ready', 'leased');
DROP INDEX case_file_case;
DROP INDEX document_case;
DROP INDEX document_payment;
DROP INDEX outbox_work;
DROP INDEX inbox_work;
