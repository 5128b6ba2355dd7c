-- Organisations, delegations, accounts, sessions, workers.

-- name: org_load
SELECT id, version, kind, ban, licence, name_zh, name_en, address, county, phone, email, created
FROM org WHERE id = %lld;

-- name: org_by_ban
SELECT id, version, kind, ban, licence, name_zh, name_en, address, county, phone, email, created
FROM org WHERE ban = %s;

-- name: org_insert
INSERT INTO org (id, version, kind, ban, licence, name_zh, name_en, address, county, phone, email, created)
VALUES (%lld, %lld, %s, %s, %s, %s, %s, %s, %s, %s, %s, %lld);

-- name: org_update
UPDATE org SET version = version + 1, name_zh = %s, name_en = %s, address = %s, county = %s, phone = %s,
  email = %s WHERE id = %lld AND version = %lld;

-- name: org_list
SELECT id, version, kind, ban, licence, name_zh, name_en, address, county, phone, email, created
FROM org ORDER BY id LIMIT %lld;

-- name: org_employers
SELECT o.id, o.version, o.kind, o.ban, o.licence, o.name_zh, o.name_en, o.address, o.county, o.phone,
  o.email, o.created
FROM delegation d JOIN org o ON o.id = d.employer_id
WHERE d.agency_id = %lld AND d.revoked = 0 ORDER BY o.id LIMIT 5000;

-- name: delegation_load
SELECT id, version, employer_id, agency_id, granted, revoked FROM delegation WHERE id = %lld;

-- name: delegation_live
SELECT id, version, employer_id, agency_id, granted, revoked FROM delegation
WHERE employer_id = %lld AND agency_id = %lld AND revoked = 0;

-- name: delegation_insert
INSERT INTO delegation (id, version, employer_id, agency_id, granted, revoked)
VALUES (%lld, %lld, %lld, %lld, %lld, %lld);

-- name: delegation_update
UPDATE delegation SET version = version + 1, revoked = %lld WHERE id = %lld AND version = %lld;

-- name: delegation_of_employer
SELECT d.id, d.granted, o.name_zh, o.name_en, o.licence FROM delegation d JOIN org o ON o.id = d.agency_id
WHERE d.employer_id = %lld AND d.revoked = 0 ORDER BY d.granted LIMIT 100;

-- name: account_load
SELECT id, version, login, name, email, lang, roles, org_id, station, pw_hash, pw_old, must_change, active,
  failures, locked_until, last_login, created FROM account WHERE id = %lld;

-- name: account_by_login
SELECT id, version, login, name, email, lang, roles, org_id, station, pw_hash, pw_old, must_change, active,
  failures, locked_until, last_login, created FROM account WHERE login = %s;

-- Who is written to about a worker: who filed for it last, or the first of whoever registered it.
-- name: account_of_worker
SELECT id, version, login, name, email, lang, roles, org_id, station, pw_hash, pw_old, must_change, active,
  failures, locked_until, last_login, created FROM account WHERE id = COALESCE(
    (SELECT filer_id FROM cases WHERE worker_id = %lld ORDER BY created DESC LIMIT 1),
    (SELECT min(a.id) FROM account a JOIN worker w ON w.id = %lld
      WHERE a.active = 1 AND a.org_id = CASE WHEN w.agency_id > 0 THEN w.agency_id ELSE w.employer_id END));

-- name: account_list
SELECT id, version, login, name, email, lang, roles, org_id, station, pw_hash, pw_old, must_change, active,
  failures, locked_until, last_login, created FROM account ORDER BY login LIMIT %lld;

-- name: account_insert
INSERT INTO account (id, version, login, name, email, lang, roles, org_id, station, pw_hash, pw_old,
  must_change, active, failures, locked_until, last_login, created)
VALUES (%lld, %lld, %s, %s, %s, %s, %s, %lld, %s, %s, %s, %lld, %lld, %lld, %lld, %lld, %lld);

-- name: account_update
UPDATE account SET version = version + 1, name = %s, email = %s, lang = %s, roles = %s, station = %s,
  pw_hash = %s, pw_old = %s, must_change = %lld, active = %lld, failures = %lld, locked_until = %lld
WHERE id = %lld AND version = %lld;

-- name: account_failed
UPDATE account SET failures = failures + 1,
  locked_until = CASE WHEN failures + 1 >= %lld THEN %lld ELSE locked_until END
WHERE id = %lld RETURNING failures;

-- name: account_entered
UPDATE account SET failures = 0, locked_until = 0, last_login = %lld WHERE id = %lld;

-- name: account_unlock
UPDATE account SET failures = 0, locked_until = 0 WHERE id = %lld AND locked_until > 0 AND locked_until <= %lld;

-- name: account_rehash
UPDATE account SET pw_hash = %s WHERE id = %lld AND pw_hash = %s;

-- name: session_insert
INSERT INTO session (token_hash, account_id, csrf, created, seen, expires, ip, agent)
VALUES (%s, %lld, %s, %lld, %lld, %lld, %s, %s);

-- Who is there, in one look: with the account, its organisation's names, and for whom that may act.
-- name: session_load
SELECT a.id, a.version, a.login, a.name, a.email, a.lang, a.roles, a.org_id, a.station, a.pw_hash, a.pw_old,
  a.must_change, a.active, a.failures, a.locked_until, a.last_login, a.created, s.csrf, s.created, s.seen,
  s.expires, o.name_zh, o.name_en,
  (SELECT group_concat(d.employer_id) FROM delegation d WHERE d.agency_id = a.org_id AND d.revoked = 0)
FROM session s JOIN account a ON a.id = s.account_id LEFT JOIN org o ON o.id = a.org_id
WHERE s.token_hash = %s;

-- name: session_load [pgsql]
SELECT a.id, a.version, a.login, a.name, a.email, a.lang, a.roles, a.org_id, a.station, a.pw_hash, a.pw_old,
  a.must_change, a.active, a.failures, a.locked_until, a.last_login, a.created, s.csrf, s.created, s.seen,
  s.expires, o.name_zh, o.name_en,
  (SELECT string_agg(CAST(d.employer_id AS TEXT), ',') FROM delegation d
    WHERE d.agency_id = a.org_id AND d.revoked = 0)
FROM session s JOIN account a ON a.id = s.account_id LEFT JOIN org o ON o.id = a.org_id
WHERE s.token_hash = %s;

-- name: session_touch
UPDATE session SET seen = %lld WHERE token_hash = %s AND seen < %lld;

-- name: session_renew
UPDATE session SET token_hash = %s WHERE token_hash = %s;
-- name: session_delete
DELETE FROM session WHERE token_hash = %s;

-- name: session_delete_account
DELETE FROM session WHERE account_id = %lld AND token_hash <> %s;

-- name: session_purge
DELETE FROM session WHERE expires < %lld OR seen < %lld;

-- name: rate_hit
INSERT INTO rate (name, since, hits) VALUES (%s, %lld, 1)
ON CONFLICT (name) DO UPDATE SET
  hits = CASE WHEN rate.since < %lld THEN 1 ELSE rate.hits + 1 END,
  since = CASE WHEN rate.since < %lld THEN %lld ELSE rate.since END
RETURNING hits;

-- A name that is no account's, counted as account_failed and account_unlock count: `since` is the last failure that counted.
-- name: nobody_failed
INSERT INTO rate (name, since, hits) VALUES (%s, %lld, 1)
ON CONFLICT (name) DO UPDATE SET
  hits = CASE WHEN rate.hits < %lld THEN rate.hits + 1 WHEN rate.since <= %lld THEN 1 ELSE rate.hits END,
  since = CASE WHEN rate.hits < %lld OR rate.since <= %lld THEN %lld ELSE rate.since END
RETURNING hits;

-- name: rate_purge
DELETE FROM rate WHERE since < %lld;

-- name: worker_load
SELECT id, version, employer_id, agency_id, passport_no, nationality, name_latin, name_native, birth, sex,
  permit_letter, data, created, entered, file_by, filed, reminded FROM worker WHERE id = %lld;

-- Who that passport is, the newest registration first, with the employer's number.
-- name: worker_of_passport
SELECT w.id, w.version, w.employer_id, w.agency_id, w.passport_no, w.nationality, w.name_latin, w.name_native,
  w.birth, w.sex, w.permit_letter, w.data, w.created, w.entered, w.file_by, w.filed, w.reminded, o.ban
FROM worker w JOIN org o ON o.id = w.employer_id
WHERE w.nationality = %s AND w.passport_no = %s ORDER BY w.created DESC LIMIT 20;

-- Perhaps the same person under another passport.
-- name: worker_of_birth
SELECT w.id, w.version, w.employer_id, w.agency_id, w.passport_no, w.nationality, w.name_latin, w.name_native,
  w.birth, w.sex, w.permit_letter, w.data, w.created, w.entered, w.file_by, w.filed, w.reminded, o.ban
FROM worker w JOIN org o ON o.id = w.employer_id
WHERE w.nationality = %s AND w.birth = %s LIMIT 200;

-- name: worker_to_remind
SELECT id FROM worker WHERE file_by > 0 AND filed = 0 AND reminded = 0 AND file_by < %lld ORDER BY file_by LIMIT %lld;

-- name: worker_by_passport
SELECT id FROM worker WHERE employer_id = %lld AND nationality = %s AND passport_no = %s;

-- name: worker_insert
INSERT INTO worker (id, version, employer_id, agency_id, passport_no, nationality, name_latin, name_native,
  birth, sex, permit_letter, data, created, entered, file_by, filed, reminded)
VALUES (%lld, %lld, %lld, %lld, %s, %s, %s, %s, %s, %s, %s, %s, %lld, %s, %lld, %lld, %lld);

-- name: worker_update
UPDATE worker SET version = version + 1, passport_no = %s, nationality = %s, name_latin = %s,
  name_native = %s, birth = %s, sex = %s, permit_letter = %s, data = %s, entered = %s, file_by = %lld,
  filed = %lld, reminded = %lld
WHERE id = %lld AND version = %lld;

-- name: worker_list_employer
SELECT w.id, w.version, w.employer_id, w.agency_id, w.passport_no, w.nationality, w.name_latin,
  w.name_native, w.birth, w.sex, w.permit_letter, w.data, w.created, w.entered, w.file_by, w.filed,
  w.reminded, o.name_zh, o.name_en
FROM worker w JOIN org o ON o.id = w.employer_id
WHERE w.employer_id = %lld AND w.created < %lld ORDER BY w.created DESC LIMIT %lld;

-- name: worker_list_agency
SELECT w.id, w.version, w.employer_id, w.agency_id, w.passport_no, w.nationality, w.name_latin,
  w.name_native, w.birth, w.sex, w.permit_letter, w.data, w.created, w.entered, w.file_by, w.filed,
  w.reminded, o.name_zh, o.name_en
FROM delegation d JOIN worker w ON w.employer_id = d.employer_id JOIN org o ON o.id = w.employer_id
WHERE d.agency_id = %lld AND d.revoked = 0 AND w.created < %lld
  AND (w.agency_id = 0 OR w.agency_id = d.agency_id)
ORDER BY w.created DESC LIMIT %lld;
