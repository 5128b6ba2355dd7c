#include "fw_config.h"
#include "fw_password.h"

#include <pthread.h>
#include <string.h>
#include <strings.h>

#include <apr_lib.h>
#include <apr_strings.h>
#include <jansson.h>
#include <openssl/rand.h>

#include "fw_argon2.h"
#include "fw_json.h"
#include "fw_utf8.h"
#include "fw_wait.h"

#define SALT_BYTES  16
#define LOGIN_SHORT 3 /* so short a login stands in many a good password */

/* ---- judging ---- */

/* What is left of well-known passwords once digits and signs are taken off: "Password-2026!!" is the first of them. */
static const char *const common[] = {"",
                                     "password",
                                     "passwort",
                                     "passw",
                                     "passwd",
                                     "qwerty",
                                     "azerty",
                                     "qwertyuiop",
                                     "asdfghjkl",
                                     "zxcvbnm",
                                     "qwertyuiopasdfgh",
                                     "letmein",
                                     "welcome",
                                     "admin",
                                     "administrator",
                                     "iloveyou",
                                     "monkey",
                                     "dragon",
                                     "sunshine",
                                     "princess",
                                     "football",
                                     "baseball",
                                     "superman",
                                     "trustnoone",
                                     "changeme",
                                     "secret",
                                     "default",
                                     "immigration",
                                     "fwpermit",
                                     "taiwan",
                                     "abcabc",
                                     "abcdefghijkl",
                                     "abcdefg",
                                     "abc",
                                     "qaz",
                                     "qazwsx",
                                     "qazwsxedc",
                                     "passwordpassword",
                                     "woaini",
                                     "aini"};

static bool is_common(const char *password)
{
    char letters[FW_PASSWORD_MAX * 4 + 1];
    size_t n = 0;

    for (const char *p = password; *p && n < sizeof(letters) - 1; p++) {
        if (apr_isalpha(*p) || (unsigned char)*p >= 0x80)
            letters[n++] = (char)apr_tolower(*p);
    }
    letters[n] = '\0';
    for (size_t i = 0; i < sizeof(common) / sizeof(common[0]); i++) {
        if (strcmp(letters, common[i]) == 0)
            return true;
    }
    return false;
}

static bool is_one_letter(const char *password)
{
    const char *p = password;
    uint32_t first = fw_utf8_next(&p);

    while (*p) {
        if (fw_utf8_next(&p) != first)
            return false;
    }
    return true;
}

static bool has_control(const char *password)
{
    for (const char *p = password; *p;) {
        uint32_t c = fw_utf8_next(&p);

        if (c < 0x20 || (c >= 0x7F && c < 0xA0) || c == FW_UTF8_NONE)
            return true;
    }
    return false;
}

static int characters(const char *password)
{
    int n = 0;

    for (const char *p = password; *p && n <= FW_PASSWORD_MAX; n++)
        fw_utf8_next(&p);
    return n;
}

const char *fw_password_judge(const char *password, const char *login)
{
    int n = characters(password);

    if (n < FW_PASSWORD_MIN)
        return "password.short";
    if (n > FW_PASSWORD_MAX)
        return "password.long";
    if (has_control(password))
        return "password.control";
    if (is_one_letter(password) || is_common(password))
        return "password.common";
    if (login && strlen(login) > LOGIN_SHORT && strcasestr(password, login))
        return "password.common";
    return NULL;
}

/* ---- hashing ---- */

const fw_err *fw_password_hash(const char *password, const char **phc, apr_pool_t *pool)
{
    unsigned char salt[SALT_BYTES];

    if (RAND_bytes(salt, SALT_BYTES) != 1)
        return FW_ERR(pool, FW_E_UNAVAILABLE, 0, "no random bytes");
    *phc = fw_argon2_hash(password, FW_PASSWORD_KIB, FW_PASSWORD_PASSES, salt, SALT_BYTES, pool);
    return *phc ? NULL : FW_ERR(pool, FW_E_UNAVAILABLE, 0, "Argon2 could not hash: no memory?");
}

/* As much work as for a real one. */
static void hash_in_vain(const char *password, apr_pool_t *pool)
{
    static const unsigned char salt[] = "no such account";

    (void)fw_argon2_hash(password, FW_PASSWORD_KIB, FW_PASSWORD_PASSES, salt, sizeof(salt), pool);
}

bool fw_password_right(const char *password, const char *phc, apr_pool_t *pool)
{
    fw_argon2_e found = FW_ARGON2_NO_HASH;

    if (strlen(password) > FW_PASSWORD_MAX * 4)
        password = "";
    if (phc)
        found = fw_argon2_check(phc, password, pool);
    if (found == FW_ARGON2_NO_HASH)
        hash_in_vain(password, pool);
    return found == FW_ARGON2_RIGHT && *password;
}

/* ---- changing ---- */

static bool is_used(const char *password, const char *pw_hash, const json_t *old, apr_pool_t *pool)
{
    const json_t *v;
    size_t i;

    if (pw_hash && fw_password_right(password, pw_hash, pool))
        return true;
    json_array_foreach(old, i, v)
    {
        if (json_is_string(v) && fw_password_right(password, json_string_value(v), pool))
            return true;
    }
    return false;
}

static const char *add_old(json_t *old, const char *pw_hash, apr_pool_t *pool)
{
    if (pw_hash)
        json_array_insert_new(old, 0, json_string(pw_hash));
    while (json_array_size(old) > FW_PASSWORD_OLD)
        json_array_remove(old, FW_PASSWORD_OLD);
    return fw_json_text(old, JSON_COMPACT, pool);
}

const fw_err *fw_password_change(const char *password, const char *pw_hash, const char *pw_old,
                                 const char **new_hash, const char **new_old, apr_pool_t *pool)
{
    json_t *old = pw_old ? json_loads(pw_old, JSON_REJECT_DUPLICATES, NULL) : NULL;
    const fw_err *err;

    if (!json_is_array(old)) {
        json_decref(old);
        old = json_array();
    }
    if (is_used(password, pw_hash, old, pool))
        err = fw_err_field(pool, "new", "password.used");
    else
        err = fw_password_hash(password, new_hash, pool);
    if (!err)
        *new_old = add_old(old, pw_hash, pool);
    json_decref(old);
    return err;
}

/* ---- the lane ---- */

struct fw_lane {
    pthread_mutex_t mutex;
    pthread_cond_t freed;
    int room;
};

fw_lane *fw_lane_make(int width, apr_pool_t *pool)
{
    fw_lane *lane = apr_pcalloc(pool, sizeof(*lane));

    pthread_mutex_init(&lane->mutex, NULL);
    fw_wait_init(&lane->freed);
    lane->room = width;
    return lane;
}

bool fw_lane_enter(fw_lane *lane, apr_interval_time_t wait)
{
    apr_time_t due = fw_monotonic() + wait;
    bool had;

    pthread_mutex_lock(&lane->mutex);
    while (lane->room == 0) {
        apr_interval_time_t left = due - fw_monotonic();

        if (left <= 0)
            break;
        fw_wait(&lane->freed, &lane->mutex, left);
    }
    had = lane->room > 0;
    lane->room -= had;
    pthread_mutex_unlock(&lane->mutex);
    return had;
}

void fw_lane_leave(fw_lane *lane)
{
    pthread_mutex_lock(&lane->mutex);
    lane->room++;
    pthread_cond_signal(&lane->freed);
    pthread_mutex_unlock(&lane->mutex);
}
