-- The revocation list: permits that ended before their time, by when they ended and by how long they would have been valid.
CREATE INDEX permit_ended ON permit (ended) WHERE ended > 0;
CREATE INDEX permit_ended_valid ON permit (valid_to, permit_no) WHERE ended > 0;
