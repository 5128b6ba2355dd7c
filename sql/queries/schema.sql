-- The schema itself, and whether the database answers.

-- name: ping
SELECT 1;

-- name: schema_exists
SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'fw_schema';

-- name: schema_exists [pgsql]
SELECT count(*) FROM information_schema.tables
WHERE table_schema = current_schema() AND table_name = 'fw_schema';

-- name: schema_version
SELECT coalesce(max(version), 0) FROM fw_schema;

-- name: schema_put
INSERT INTO fw_schema (version, applied) VALUES (%lld, %lld);

-- name: schema_lock
SELECT 0;

-- name: schema_lock [pgsql]
SELECT 0 FROM pg_advisory_xact_lock(7301522);
