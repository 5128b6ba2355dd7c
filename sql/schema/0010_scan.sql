-- Whether a scanner has looked into a file: none (there was no scanner), pending, clean, infected. While it is pending its sender's
-- organisation alone may have it. The index holds what waits, and nothing where there is no scanner.
ALTER TABLE case_file ADD COLUMN scan TEXT NOT NULL DEFAULT 'none';
ALTER TABLE case_file ADD COLUMN by_org BIGINT NOT NULL DEFAULT 0;
CREATE INDEX case_file_waits ON case_file (case_id) WHERE scan = 'pending';
