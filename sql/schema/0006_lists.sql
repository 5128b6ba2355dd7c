-- Two cases may be due at one time: with the id behind it a list comes whole in its index's order.
CREATE INDEX cases_of_desk ON cases (station, state, due, id);
CREATE INDEX cases_of_reviewer ON cases (first_reviewer, state, due, id);
CREATE INDEX cases_of_state ON cases (state, due, id);
DROP INDEX cases_desk;
DROP INDEX cases_reviewer;
DROP INDEX cases_state;
