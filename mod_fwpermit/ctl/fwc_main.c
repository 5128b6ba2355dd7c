#include "fw_config.h"
#include "fwc.h"
#include "fwc_plugin.h"
#include "fwc_verify.h"
#include "fwc_system.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <apr_general.h>
#include <apr_strings.h>

#include "fw_lifecycle.h"
#include "fw_migrate.h"

#define CONF "/etc/apache2/mods-available/fwpermit.conf"

static const fw_err *help(fwc *c);

static const fwc_command commands[] = {
    {"help", NULL, help, FWC_NOTHING, 0, 2, "[COMMAND]", "", "this list, or one command", NULL},
    {"migrate", NULL, fwc_migrate, FWC_DESK, 0, 0, "", "",
     "bring the database to the newest schema",
     "Each migration runs in a transaction of its own. Run it after each upgrade, before the "
     "server."},
    {"account", "create", fwc_account_create, FWC_DESK, 1, 1, "LOGIN",
     "roles: name: email: lang: org: station: generate keep", "make an account",
     "  --roles R,R    employer agent initial second dispatcher cashier admin auditor\n"
     "  --name TEXT    of the person; --email ADDRESS; --lang zh-Hant or en\n"
     "  --org ORG      of an employer or agent: identity or business number\n"
     "  --station CODE of an officer, as in codes/counties.json\n"
     "The password comes from a prompt or the first line of standard input; --generate makes\n"
     "one and prints it. It must be changed at the first log-in, but for --keep."},
    {"account", "list", fwc_account_list, FWC_DESK, 0, 0, "", "limit:", "all accounts", NULL},
    {"account", "show", fwc_account_show, FWC_DESK, 1, 1, "LOGIN", "", "one account", NULL},
    {"account", "unlock", fwc_account_unlock, FWC_DESK, 1, 1, "LOGIN", "",
     "end a lock after too many failures", NULL},
    {"account", "disable", fwc_account_disable, FWC_DESK, 1, 1, "LOGIN", "",
     "let it log in no more, end its sessions", NULL},
    {"account", "enable", fwc_account_enable, FWC_DESK, 1, 1, "LOGIN", "", "let it log in again",
     NULL},
    {"account", "password", fwc_account_password, FWC_DESK, 1, 1, "LOGIN", "generate keep",
     "set a new password, end its sessions",
     "The password comes from a prompt or the first line of standard input; --generate makes\n"
     "one and prints it. It must be changed at the next log-in, but for --keep."},
    {"org", "create", fwc_org_create, FWC_DESK, 2, 2, "employer|agency NUMBER",
     "name-zh: name-en: licence: address: phone: email:", "register an organisation",
     "NUMBER is the business number, or the national identity number of a household.\n"
     "  --name-zh TEXT --name-en TEXT  one of them at least\n"
     "  --licence TEXT                 of an agency\n"
     "  --address TEXT --phone TEXT --email ADDRESS"},
    {"org", "list", fwc_org_list, FWC_DESK, 0, 0, "", "limit:", "all organisations", NULL},
    {"delegation", "grant", fwc_delegation_grant, FWC_DESK, 2, 2, "EMPLOYER AGENCY", "",
     "let an agency act for an employer",
     "EMPLOYER and AGENCY are identities or business numbers."},
    {"delegation", "revoke", fwc_delegation_revoke, FWC_DESK, 2, 2, "EMPLOYER AGENCY", "",
     "end that", NULL},
    {"delegation", "list", fwc_delegation_list, FWC_DESK, 1, 1, "ORG", "",
     "whom an employer has delegated to, or an agency acts for", NULL},
    {"audit", "verify", fwc_audit_verify, FWC_SETTINGS, 0, 0, "",
     "key:", "whether the audit trail is whole",
     "Looks at every record, every seal, each seal's signature and the anchor. Prints \"whole\"\n"
     "and the head, or the first thing that is wrong and ends with 1.\n"
     "  --key FILE     certificates or a public key, instead of audit.crt and the retired\n"
     "                 audit-*.crt of FwPermitKeys"},
    {"audit", "list", fwc_audit_list, FWC_DESK, 0, 0, "", "before: limit:", "the newest records",
     "  --before ID    those before it; --limit N  as many (100)"},
    {"status", NULL, fwc_status, FWC_SETTINGS, 0, 0, "", "json",
     "every part and link, what waits behind it, what to do",
     "What the page /admin/system shows, as this machine sees it. Ends with 1 if a part or a link\n"
     "is down.\n"
     "  --json         the snapshot of docs/contracts/monitor.json, report.request"},
    {"deadletter", "list", fwc_deadletter_list, FWC_DESK, 0, 0, "",
     "limit:", "deliveries, and messages from outside, that failed for good", NULL},
    {"deadletter", "show", fwc_deadletter_show, FWC_DESK, 1, 1, "ID", "",
     "one of them with its contents, secrets masked", NULL},
    {"deadletter", "mend", fwc_deadletter_mend, FWC_DESK, 2, 200, "ID NAME=VALUE...", "",
     "change values of its contents",
     "NAME as `deadletter show` has it, with dots for what lies deeper: person.email, items.0.\n"
     "Only values that are there change, and each keeps its type. The audit trail gets the names."},
    {"deadletter", "drop", fwc_deadletter_drop, FWC_DESK, 1, 1, "ID", "why:", "discard it for good",
     "  --why TEXT     the reason, for the audit trail; must be given"},
    {"deadletter", "replay", fwc_deadletter_replay, FWC_DESK, 1, 1, "ID", "",
     "deliver it once more, under the same key", NULL},
    {"plugin", "list", fwc_plugin_list, FWC_DESK, 0, 0, "", "",
     "the links to other systems and their states", NULL},
    {"plugin", "pause", fwc_plugin_pause, FWC_DESK, 1, 1, "NAME",
     "why:", "deliver nothing through a plugin; what is for it waits",
     "What comes from the other system is kept, and taken up when it is resumed.\n"
     "  --why TEXT     the reason, for the audit trail and the page; must be given"},
    {"plugin", "resume", fwc_plugin_resume, FWC_DESK, 1, 1, "NAME", "", "open it again", NULL},
    {"plugin", "test", fwc_plugin_test, FWC_SETTINGS, 1, 1, "NAME", "",
     "have a plugin speak with the other system, altering nothing",
     "Starts the plugin NAME of the settings in a process of its own, beside the one that the\n"
     "server has, and prints step by step what it found. Ends with 1 if something is wrong."},
    {"backup", NULL, fwc_backup, FWC_SETTINGS, 1, 1, "DIR", "with-keys",
     "a copy of the whole platform, also while it serves",
     "DIR is made. It gets database, vault (encrypted as it is), anchor, journals, public lists "
     "and a\n"
     "manifest. Until it is whole it is DIR.part. Run it as root.\n"
     "  --with-keys    also the master keys and the signing keys: who has it can read everything\n"
     "Ends with 1 if a file of the vault is lost; the backup is made all the same."},
    {"restore", NULL, fwc_restore, FWC_SETTINGS, 1, 1, "DIR", "quick",
     "put a backup in place, on an empty one",
     "Refuses a backup that is altered or newer than the program, a server that runs, a place "
     "where\n"
     "something is. Then it puts everything in place, runs migrations that are missing, and "
     "verifies\n"
     "every file of the vault and the audit trail. One that was broken off is run again.\n"
     "  --quick        files of the vault: heads and sizes alone\n"
     "Ends with 1 if something is wrong in it."},
    {"key", "init", fwc_key_init, FWC_SETTINGS, 0, 0, "", "csr",
     "make the master key and the signing keys that are missing",
     "Master key: FwPermitVaultKeys. Signing keys permit, receipt, audit, seal (EC "
     "P-256):\n"
     "FwPermitKeys/NAME.key with NAME.crt, certified for two years by a CA made on the spot\n"
     "(ca.key, ca.crt), for trials. Nothing that is there is overwritten.\n"
     "  --csr          make NAME.csr for your CA instead; put its answer as NAME.crt, and the\n"
     "                 certificates between it and its root as NAME.chain"},
    {"key", "prepare", fwc_key_prepare, FWC_SETTINGS, 0, 0, "", "",
     "add a new master key that nothing uses yet",
     "Then reload the server, so that all its processes know the key, and run `key rotate`."},
    {"key", "rotate", fwc_key_rotate, FWC_SETTINGS, 0, 0, "", "",
     "make a new master key the current one, wrap all files anew",
     "With the server stopped it makes the key by itself; while it runs, `key prepare` and a\n"
     "reload come first, and a reload and `key rewrap` after it."},
    {"key", "rewrap", fwc_key_rewrap, FWC_VAULT, 0, 0, "", "",
     "wrap all files under the current master key", NULL},
    {"key", "rotate-signing", fwc_key_rotate_signing, FWC_SETTINGS, 1, 1, "NAME", "csr keep",
     "put a new signing key in the place of NAME",
     "The old certificate stays as NAME-KID.crt, so that what it signed is verified; the old key\n"
     "is removed. Then reload the server. What the CA for trials certified it certifies anew; of\n"
     "another CA --csr makes the request NAME.next.csr: put the answer as NAME.next.crt (and what\n"
     "stands above it as NAME.next.chain), then run this without --csr.\n"
     "  --keep         keep the old key as NAME-KID.key, to be moved elsewhere"},
    {"verify", NULL, fwc_verify, FWC_NOTHING, 1, 20, "FILE [ATTACHMENT ...]",
     "trust: revocations: at: json",
     "what a permit, receipt, seal or revocation list is worth; off line",
     "FILE is a PDF, a seal (its bytes, or base64) or revocations.jws. Attachments are looked for "
     "in a\n"
     "receipt of filing. Needs no server, database or network.\n"
     "  --trust FILE        trust.json; without it the one in FwPermitPublic\n"
     "  --revocations FILE  revocations.jws; likewise\n"
     "  --at DAY            in force on that day, not today\n"
     "  --json              for programs\n"
     "Ends with 0 if it is valid; else with 10 and more, see docs/integrators/verify.md."},
    {"doctor", NULL, fwc_doctor_all, FWC_NOTHING, 0, 0, "", "httpd: quiet",
     "look for faults of the set-up and say what mends each",
     "  --httpd FILE   httpd's main configuration (the file of -c where that loads the module,\n"
     "                 else /etc/apache2/apache2.conf)\n"
     "  --quiet        faults alone\n"
     "Ends with 1 if it finds a fault."},
    {"demo", NULL, fwc_demo, FWC_DESK, 0, 0, "", "",
     "fill the database with the demo accounts (needs FwPermitDemo On)", NULL},
    {"lifecycle", NULL, fwc_lifecycle, FWC_NOTHING, 0, 0, "", "",
     "print docs/lifecycle.md: the life of a case as diagram and table", NULL},
};
#define COMMANDS (sizeof(commands) / sizeof(commands[0]))

/* ---- help ---- */

static const char *name_of(const fwc_command *k, apr_pool_t *pool)
{
    return k->verb ? apr_pstrcat(pool, k->group, " ", k->verb, NULL) : k->group;
}

static bool is_asked(const fwc *c, const fwc_command *k)
{
    return (c->n_words == 0 || strcmp(c->words[0], k->group) == 0) &&
           (c->n_words < 2 || (k->verb && strcmp(c->words[1], k->verb) == 0));
}

static void tell_one(const fwc *c, const fwc_command *k)
{
    fwc_say(c, "fwpermitctl %s", fwc_usage(k, c->pool));
    fwc_say(c, "  %s%s%s", k->what, k->more ? "\n" : "", k->more ? k->more : "");
}

static const fw_err *help(fwc *c)
{
    int n = 0;

    if (c->n_words == 0)
        fwc_say(c, "usage: fwpermitctl [-c FILE] COMMAND   (-c: " CONF ")\n");
    for (size_t i = 0; i < COMMANDS; i++) {
        if (!is_asked(c, &commands[i]))
            continue;
        n++;
        if (c->n_words)
            tell_one(c, &commands[i]);
        else
            fwc_say(c, "  %-18s %s", name_of(&commands[i], c->pool), commands[i].what);
    }
    if (c->n_words == 0)
        fwc_say(c, "\nIt ends with 0 done, 1 refused or found wrong, 2 usage, 3 configuration, "
                   "4 away or busy, 5 a fault");
    return n ? NULL : FW_ERR(c->pool, FW_E_INPUT, 0, "there is no command %s", c->words[0]);
}

/* ---- small commands ---- */

const fw_err *fwc_migrate(fwc *c)
{
    const char *dir = apr_pstrcat(c->pool, c->settings->sql_dir, "/schema", NULL);
    int done = 0, version = 0;

    FW_TRY(fw_migrate_run(c->db, dir, &done, c->pool));
    FW_TRY(fw_migrate_current(&version, c->db, c->pool));
    fwc_say(c, "schema %d, %d migration%s run", version, done, done == 1 ? "" : "s");
    return NULL;
}

const fw_err *fwc_lifecycle(fwc *c)
{
    fputs(fw_lifecycle_page(c->pool), stdout);
    return NULL;
}

/* ---- start ---- */

static const fwc_command *find(const char *const *argv, int argc)
{
    if (argc > 0 && (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0))
        return &commands[0];
    for (size_t i = 0; i < COMMANDS; i++) {
        if (argc > 0 && strcmp(commands[i].group, argv[0]) == 0 &&
            (!commands[i].verb || (argc > 1 && strcmp(commands[i].verb, argv[1]) == 0)))
            return &commands[i];
    }
    return NULL;
}

static const fw_err *run(fwc *c, int argc, const char *const *argv)
{
    if (argc > 1 && strcmp(argv[0], "-c") == 0) {
        c->conf = argv[1];
        argc -= 2;
        argv += 2;
    }
    if (argc == 0)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "no command; `fwpermitctl help` lists them");
    c->command = find(argv, argc);
    if (!c->command)
        return FW_ERR(c->pool, FW_E_INPUT, 0, "there is no command %s%s%s; see `fwpermitctl help`",
                      argv[0], argc > 1 ? " " : "", argc > 1 ? argv[1] : "");
    FW_TRY(fwc_read_args(c, argc, argv));
    FW_TRY(fwc_open(c, c->command->need));
    return c->command->run(c);
}

static fwc_exit_e exit_of(const fw_err *err)
{
    switch (err->code) {
    case FW_E_INPUT:
        return FWC_USAGE;
    case FW_E_CONFIG:
        return FWC_CONFIG;
    case FW_E_BUSY:
    case FW_E_UNAVAILABLE:
        return FWC_AWAY;
    case FW_E_NOTFOUND:
    case FW_E_FORBIDDEN:
    case FW_E_CONFLICT:
    case FW_E_LIMIT:
        return FWC_REFUSED;
    case FW_E_INTERNAL:
    case FW_E_CORRUPT:
        return FWC_FAULT;
    }
    return FWC_FAULT;
}

/* For who called; where in the program it happened only of what is a fault of ours. */
static const char *tell(const fw_err *err, apr_pool_t *pool)
{
    const char *text = err->msg;
    char os[120];

    if (exit_of(err) == FWC_FAULT)
        return fw_err_text(err, pool);
    for (const fw_err *e = err->cause; e; e = e->cause) {
        text = apr_pstrcat(pool, text, ": ", e->msg, NULL);
        err = e;
    }
    return err->os ? apr_pstrcat(pool, text, ": ", apr_strerror(err->os, os, sizeof(os)), NULL)
                   : text;
}

int main(int argc, const char *const *argv)
{
    fwc c = {.conf = CONF, .actor = {.login = "fwpermitctl", .roles = FW_ROLE_SYSTEM}};
    const fw_err *err;

    umask(0077);
    apr_initialize();
    apr_pool_create(&c.pool, NULL);
    c.actor.name = c.actor.login;
    c.options = apr_table_make(c.pool, 8);
    err = run(&c, argc - 1, argv + 1);
    if (err) {
        fprintf(stderr, "fwpermitctl: %s\n", tell(err, c.pool));
        c.rc = exit_of(err);
    }
    apr_pool_destroy(c.pool);
    apr_terminate();
    return (int)c.rc;
}
