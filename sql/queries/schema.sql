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

-- What a copy of the database holds, for its manifest: tables that the first schema has already.
-- name: copy_counts
SELECT (SELECT count(*) FROM org), (SELECT count(*) FROM account), (SELECT count(*) FROM worker),
  (SELECT count(*) FROM cases), (SELECT count(*) FROM case_file), (SELECT count(*) FROM payment),
  (SELECT count(*) FROM permit), (SELECT count(*) FROM document), (SELECT count(*) FROM outbox),
  (SELECT count(*) FROM audit), (SELECT count(*) FROM audit_seal);

-- A transaction whose view another connection takes over.
-- name: copy_view [pgsql]
SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY;

-- name: copy_view_name [pgsql]
SELECT pg_export_snapshot();
