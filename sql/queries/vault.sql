-- What the vault holds is named by rows.

-- name: vault_used
SELECT (SELECT count(*) FROM case_file WHERE vault = %s) + (SELECT count(*) FROM document WHERE vault = %s);

-- name: vault_of_uploads
SELECT id, vault, sha256, size FROM case_file WHERE id > %lld ORDER BY id LIMIT %lld;

-- name: vault_of_documents
SELECT id, vault, sha256, size FROM document WHERE id > %lld ORDER BY id LIMIT %lld;
