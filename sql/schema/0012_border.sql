-- The state of a permit that the border was told last; NULL: nothing yet.
ALTER TABLE permit ADD COLUMN told TEXT;
-- Those that it has not heard of, and those that may be over since.
CREATE INDEX permit_untold ON permit (valid_to) WHERE told IS NULL AND state <> 'waiting';
CREATE INDEX permit_runs_out ON permit (valid_to) WHERE told = 'valid' AND state = 'valid';
