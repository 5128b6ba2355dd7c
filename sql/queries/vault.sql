-- What the vault holds is named by rows.

-- name: vault_used
SELECT (SELECT count(*) FROM case_file WHERE vault = %s) + (SELECT count(*) FROM document WHERE vault = %s);
