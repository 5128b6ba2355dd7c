#include "ecpay.h"

#include <stdio.h>
#include <string.h>

/* The merchant's file of a day (TradeNoAio, 特店對帳媒體檔): lines of cells ="value", named by the first line. A file that
 * is not whole, or another's, is refused as a whole. Fetched once for all pages: one file a minute is all that is given. */

#define PAGE_LINES 2000
#define FILE_LINES 20000 /* of one day */
#define CELLS      64
#define CELL_BYTES 512

enum {
    C_MERCHANT,
    C_ORDER,
    C_TRADE,
    C_METHOD,
    C_PAID,
    C_AMOUNT,
    C_FEE,
    C_BACK_AT,
    C_BACK,
    COLUMNS
};

static const struct {
    const char *names[3]; /* of the file's versions */
    bool needed;
} columns[COLUMNS] = {
    [C_MERCHANT] = {{"特店編號", "商店代號", "廠商編號"}, false},
    [C_ORDER] = {{"廠商訂單編號", "特店交易編號", "特店訂單編號"}, true},
    [C_TRADE] = {{"綠界訂單編號", "綠界交易編號", "交易編號"}, true},
    [C_METHOD] = {{"付款方式", NULL, NULL}, true},
    [C_PAID] = {{"付款日期", "付款時間", NULL}, true},
    [C_AMOUNT] = {{"交易金額", "訂單金額", NULL}, true},
    [C_FEE] = {{"交易手續費", "手續費", NULL}, false},
    [C_BACK_AT] = {{"退款日期", "退款時間", NULL}, false},
    [C_BACK] = {{"退款金額", NULL, NULL}, false},
};

typedef struct settling {
    fwp_instance *self;
    fwp_call *call;
    const char *day;
    int at[COLUMNS]; /* where each column stands; -1: nowhere */
    int n_cells;
    json_t *lines, *seen;
    const char *why; /* the file is refused */
    int line;
} settling;

static const char *complain(settling *s, const char *what)
{
    char *text = s->self->host->alloc(s->call, 160);

    snprintf(text, 160, "the file of %s, line %d: %s", s->day, s->line, what);
    s->why = text;
    return text;
}

/* ---- lines ---- */

/* Up to the comma or the end: value, ="value" or "value". NULL: it is none of these. */
static const char *take_cell(const char *p, const char *end, fwp_str *out)
{
    const char *comma;

    if (p < end && *p == '=')
        p++;
    if (p < end && *p == '"') {
        const char *quote = memchr(p + 1, '"', (size_t)(end - p - 1));

        if (!quote || (quote + 1 < end && quote[1] != ','))
            return NULL;
        *out = (fwp_str){p + 1, (size_t)(quote - p - 1)};
        return quote + 1;
    }
    comma = memchr(p, ',', (size_t)(end - p));
    *out = (fwp_str){p, (size_t)((comma ? comma : end) - p)};
    return comma ? comma : end;
}

/* How many cells; -1: the line is no good. */
static int take_cells(fwp_str line, fwp_str cells[CELLS])
{
    const char *p = line.p, *end = line.p + line.n;

    for (int n = 0; n < CELLS; p++) {
        p = take_cell(p, end, &cells[n]);
        if (!p || cells[n].n > CELL_BYTES)
            return -1;
        n++;
        if (p == end)
            return n;
    }
    return -1;
}

static void take_names(settling *s, const fwp_str *cells, int n)
{
    s->n_cells = n;
    for (int c = 0; c < COLUMNS; c++) {
        s->at[c] = -1;
        for (int i = 0; i < n; i++)
            for (int k = 0; k < 3 && columns[c].names[k]; k++)
                if (s->at[c] < 0 && ecpay_same(cells[i], columns[c].names[k]))
                    s->at[c] = i;
        if (s->at[c] < 0 && columns[c].needed) {
            char *what = s->self->host->alloc(s->call, 80);

            snprintf(what, 80, "no column %s", columns[c].names[0]);
            complain(s, what);
        }
    }
}

static fwp_str cell(const settling *s, const fwp_str *cells, int column)
{
    return s->at[column] < 0 ? (fwp_str){"", 0} : cells[s->at[column]];
}

static const char *method_of(fwp_str name)
{
    static const struct {
        const char *word, *method;
    } known[] = {{"信用卡", "card"}, {"ATM", "atm"}, {"超商條碼", "barcode"}, {"超商代碼", "cvs"}};

    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (name.n >= strlen(known[i].word) &&
            memcmp(name.p, known[i].word, strlen(known[i].word)) == 0)
            return known[i].method;
    return "other";
}

/* yyyy-MM-dd HH:mm:ss or with slashes, of the day that was asked for. */
static bool take_time(const settling *s, fwp_str text, char iso[21])
{
    char slashed[20];
    int64_t t;

    if (text.n != 19)
        return false;
    memcpy(slashed, text.p, 19);
    slashed[19] = '\0';
    slashed[4] = slashed[7] = '-';
    if (strncmp(slashed, s->day, 10) != 0)
        return false;
    slashed[4] = slashed[7] = '/';
    if (!ecpay_time_read((fwp_str){slashed, 19}, &t))
        return false;
    ecpay_iso_write(t, iso);
    return true;
}

/* By the gateway's number, which each payment has for itself. */
static bool stands_twice(settling *s, fwp_str trade)
{
    const char *name = ecpay_copy(s->self->host, s->call, trade.p, trade.n);
    bool twice = json_object_get(s->seen, name) != NULL;

    json_object_set_new(s->seen, name, json_true());
    return twice;
}

static void add(settling *s, const fwp_str *cells, const char *kind, fwp_str amount, fwp_str at)
{
    int64_t n = ecpay_amount(amount), fee = ecpay_amount(cell(s, cells, C_FEE));
    char iso[21];
    json_t *line;

    if (n < 1 || !take_time(s, at, iso)) {
        complain(s, n < 1 ? "no amount" : "no time of that day");
        return;
    }
    line = json_pack("{s:s, s:s, s:s, s:I}", "kind", kind, "method",
                     method_of(cell(s, cells, C_METHOD)), "at", iso, "amount", (json_int_t)n);
    ecpay_set_str(line, "order_no", cell(s, cells, C_ORDER));
    ecpay_set_str(line, "gateway_no", cell(s, cells, C_TRADE));
    if (fee >= 0 && strcmp(kind, "payment") == 0)
        json_object_set_new(line, "fee", json_integer(fee));
    if (strcmp(kind, "payment") == 0 && stands_twice(s, cell(s, cells, C_TRADE)))
        complain(s, "it stands twice");
    json_array_append_new(s->lines, line);
}

static void take_line(settling *s, const fwp_str *cells, int n)
{
    fwp_str amount, back;

    if (n != s->n_cells) {
        complain(s, "not as many cells as the first line has");
        return;
    }
    if (s->at[C_MERCHANT] >= 0 && !ecpay_same(cell(s, cells, C_MERCHANT), s->self->merchant_id)) {
        complain(s, "another merchant's");
        return;
    }
    if (cell(s, cells, C_ORDER).n == 0 || cell(s, cells, C_ORDER).n > 64 ||
        cell(s, cells, C_TRADE).n > 64) {
        complain(s, "no order's number");
        return;
    }
    amount = cell(s, cells, C_AMOUNT);
    back = cell(s, cells, C_BACK);
    if (amount.n > 0)
        add(s, cells, "payment", amount, cell(s, cells, C_PAID));
    if (back.n > 0 && !ecpay_same(back, "0"))
        add(s, cells, "refund", back, cell(s, cells, C_BACK_AT));
    if (amount.n == 0 && back.n == 0)
        complain(s, "no amount");
}

/* Each line ends with a line feed, the last one too: half a line is no line. */
static void take_file(settling *s, fwp_str file)
{
    const char *p = file.p, *end = file.p + file.n;
    fwp_str cells[CELLS];

    if (file.n >= 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
        p += 3;
    for (s->line = 1; p < end && !s->why; s->line++) {
        const char *lf = memchr(p, '\n', (size_t)(end - p));
        size_t n = lf ? (size_t)(lf - p) : 0;
        int found;

        if (!lf || s->line > FILE_LINES) {
            complain(s, lf ? "too many lines" : "it is cut off");
            return;
        }
        if (n > 0 && p[n - 1] == '\r')
            n--;
        found = take_cells((fwp_str){p, n}, cells);
        if (found < 1)
            complain(s, "it is not to be read");
        else if (s->line == 1)
            take_names(s, cells, found);
        else
            take_line(s, cells, found);
        p = lf + 1;
    }
    if (s->line == 1)
        complain(s, "it is empty");
}

/* ---- fetching ---- */

static fwp_rc fetch(fwp_instance *self, fwp_call *call, const char *day, fwp_reply *reply)
{
    settling s = {.self = self, .call = call, .day = day};
    ecpay_form form = {.n = 0};
    fwp_str file = {NULL, 0};
    fwp_rc rc;

    ecpay_form_add(&form, "MerchantID", self->merchant_id);
    ecpay_form_add(&form, "DateType", "2");
    ecpay_form_add(&form, "BeginDate", day);
    ecpay_form_add(&form, "EndDate", day);
    ecpay_form_add(&form, "MediaFormated", "1");
    ecpay_form_add(&form, "CharSet", "2");
    rc = ecpay_post(self, call, self->vendor_url, "/PaymentMedia/TradeNoAio", &form, 0, &file,
                    FWP_TEMPFAIL, reply);
    if (rc != FWP_OK)
        return rc;
    s.lines = json_array();
    s.seen = json_object();
    if (file.n == 0 || (file.n > 1 && memcmp(file.p, "0|", 2) == 0))
        complain(&s, "the gateway gave no file");
    else
        take_file(&s, file);
    json_decref(s.seen);
    if (s.why) {
        json_decref(s.lines);
        reply->retry_after_ms = ECPAY_RETRY_MS;
        return ecpay_refuse(reply, FWP_TEMPFAIL, s.why);
    }
    json_decref(self->settled);
    self->settled = s.lines;
    snprintf(self->settled_day, sizeof(self->settled_day), "%s", day);
    return FWP_OK;
}

/* ---- the operation ---- */

static fwp_rc give_page(fwp_instance *self, fwp_call *call, size_t from, fwp_reply *reply)
{
    json_t *page = json_array(), *o = json_pack("{s:o}", "lines", page);
    size_t n = json_array_size(self->settled);
    char mark[24];

    for (size_t i = from; i < n && i < from + PAGE_LINES; i++)
        json_array_append(page, json_array_get(self->settled, i));
    if (from + PAGE_LINES < n) {
        snprintf(mark, sizeof(mark), "%zu", from + PAGE_LINES);
        json_object_set_new(o, "next", json_string(mark));
    }
    return ecpay_answer(self->host, call, reply, FWP_OK, o);
}

fwp_rc ecpay_settlement(fwp_instance *self, fwp_call *call, fwp_str request, fwp_reply *reply)
{
    json_t *r = ecpay_request(request);
    const char *day = ecpay_text(r, "day"), *after = ecpay_text(r, "after");
    int64_t from = after ? ecpay_amount((fwp_str){after, strlen(after)}) : 0;
    fwp_rc rc = FWP_OK;

    if (!self->vendor_url)
        rc = ecpay_refuse(reply, FWP_MISCONFIGURED, "missing option vendor_url");
    else if (!day || strlen(day) != 10 || from < 0)
        rc = ecpay_refuse(reply, FWP_PERMFAIL,
                          "day is yyyy-MM-dd; after is what the page before gave");
    else if (!after || !self->settled || strcmp(self->settled_day, day) != 0)
        rc = fetch(self, call, day, reply);
    if (rc == FWP_OK)
        rc = give_page(self, call, (size_t)from, reply);
    json_decref(r);
    return rc;
}
