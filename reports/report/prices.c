/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/report/prices.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/nearest.h"
#include "reports/core/slurp.h"
#include "reports/core/utf8.h"

enum { MOST_BYTES = 1 << 16 };

/* ---- the table of keys ---- */

enum section { SECTION_SITE, SECTION_NODE, SECTION_BUY, SECTION_MIX, SECTION_INSPECTION };
enum value { VALUE_NUMBER, VALUE_CURRENCY, VALUE_DATE, VALUE_TEXT };

struct key {
    enum section section;
    const char *name;
    enum value value;
    size_t offset, size;
    double least, most;
};

#define KEY(section, type, member, value, ...)                                                     \
    {                                                                                              \
        SECTION_##section, #member, VALUE_##value, offsetof(struct type, member),                  \
            sizeof(((struct type *)0)->member), __VA_ARGS__                                        \
    }

static const struct key keys[] = {
    KEY(SITE, prices, currency, CURRENCY, 0, 0),
    KEY(SITE, prices, as_of, DATE, 0, 0),
    KEY(SITE, prices, valid_until, DATE, 0, 0),
    KEY(SITE, prices, source, TEXT, 0, 0),
    KEY(SITE, prices, kwh, NUMBER, 0, 1e6),
    KEY(SITE, prices, pue, NUMBER, 1, 10),
    KEY(SITE, prices, life_years, NUMBER, .5, 50),
    KEY(SITE, prices, hours_available_per_year, NUMBER, 1, 8784),
    KEY(SITE, prices, discount_rate, NUMBER, 0, 1),
    KEY(SITE, prices, nodes, NUMBER, 1, 1e6),
    KEY(SITE, prices, checkpoint_hours, NUMBER, 0, 1e6),
    KEY(SITE, prices, restart_hours, NUMBER, 0, 1e6),
    KEY(NODE, price_node, purchase, NUMBER, 0, 1e12),
    KEY(NODE, price_node, support_percent_per_year, NUMBER, 0, 100),
    KEY(NODE, price_node, staff_per_year, NUMBER, 0, 1e12),
    KEY(NODE, price_node, spares_percent, NUMBER, 0, 100),
    KEY(NODE, price_node, power_watts, NUMBER, 0, 1e6),
    KEY(NODE, price_node, mtbf_hours, NUMBER, 1, 1e9),
    KEY(NODE, price_node, repair_hours, NUMBER, 0, 1e6),
    KEY(NODE, price_node, data_sheet_gflops_f32, NUMBER, 0, 1e9),
    KEY(NODE, price_node, data_sheet_gflops_bf16, NUMBER, 0, 1e9),
    KEY(BUY, price_buy, resource, TEXT, 0, 0),
    KEY(BUY, price_buy, factor, NUMBER, 1, 1000),
    KEY(BUY, price_buy, per_node, NUMBER, 0, 1e12),
    KEY(BUY, price_buy, fixed, NUMBER, 0, 1e12),
    KEY(BUY, price_buy, watts_per_node, NUMBER, -1e6, 1e6),
    KEY(INSPECTION, price_inspection, parts_per_year, NUMBER, 0, 1e15),
    KEY(INSPECTION, price_inspection, flawed, NUMBER, 0, 1),
    KEY(INSPECTION, price_inspection, missed, NUMBER, 0, 1e12),
    KEY(INSPECTION, price_inspection, false_reject, NUMBER, 0, 1e12),
};
enum { KEYS = sizeof keys / sizeof *keys };

/* ---- parsing ---- */

struct reader {
    struct prices *p;
    const char *name;
    int line;
    enum section section;
    void *at; /* the struct of the section */
    struct err *e;
};

#define REFUSE(r, ...)                                                                             \
    (err_set((r)->e, __VA_ARGS__), err_prefix((r)->e, "%s:%d", (r)->name, (r)->line))

static int number(struct reader *r, const char *key, const char *word, double least, double most,
                  double *v)
{
    char *end;

    errno = 0;
    *v = strtod(word, &end);
    if (end == word || *end || errno || !isfinite(*v))
        return REFUSE(r, "'%.40s' is not a number; %s is one", word, key);
    if (*v < least || *v > most)
        return REFUSE(r, "%s=%.40s is not between %g and %g", key, word, least, most);
    return 0;
}

static int is_date(const char *word)
{
    struct tm day = {0};
    const char *end = strptime(word, "%Y-%m-%d", &day);
    return strlen(word) == 10 && end && !*end;
}

static int put_value(struct reader *r, const struct key *k, const char *word)
{
    char *at = (char *)r->at + k->offset;

    if (k->value == VALUE_NUMBER)
        return number(r, k->name, word, k->least, k->most, (double *)at);
    if (k->value == VALUE_CURRENCY &&
        (strlen(word) != 3 || strspn(word, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") != 3))
        return REFUSE(r, "'%.40s' is not a currency; use a code of ISO 4217, EUR or JPY", word);
    if (k->value == VALUE_DATE && !is_date(word))
        return REFUSE(r, "'%.40s' is not a date; use 2026-11-01", word);
    if (strlen(word) >= k->size)
        return REFUSE(r, "%s is longer than %zu bytes", k->name, k->size - 1);
    snprintf(at, k->size, "%s", word);
    utf8_clean(at);
    return 0;
}

static int no_key(struct reader *r, const char *word)
{
    const char *names[KEYS];
    int n = 0;

    for (int i = 0; i < KEYS; i++)
        if (keys[i].section == r->section)
            names[n++] = keys[i].name;
    const char *near = nearest(word, names, n);
    return near ? REFUSE(r, "there is no key '%.40s' here; the nearest is '%s'", word, near)
                : REFUSE(r, "there is no key '%.40s' here; see hpcai500-prices.conf(5)", word);
}

static int put_mix(struct reader *r, const char *name, const char *word)
{
    struct prices *p = r->p;
    double share, sum = 0;

    if (number(r, name, word, 0, 1, &share))
        return -1;
    if (p->n_mix == PRICES_MIX)
        return REFUSE(r, "[mix] has more than %d rows", PRICES_MIX);
    snprintf(p->mix[p->n_mix].name, PRICES_WORD, "%s", name);
    p->mix[p->n_mix++].share = share;
    for (int i = 0; i < p->n_mix; i++)
        sum += p->mix[i].share;
    return sum > 1 + 1e-9 ? REFUSE(r, "the shares of [mix] are more than 1 in all") : 0;
}

static int put_line(struct reader *r, char *key, char *word)
{
    if (r->section == SECTION_MIX)
        return put_mix(r, key, word);
    for (int i = 0; i < KEYS; i++)
        if (keys[i].section == r->section && strcmp(keys[i].name, key) == 0)
            return put_value(r, &keys[i], word);
    return no_key(r, key);
}

/* A node of which nothing is said. */
static const struct price_node no_node = {.support_percent_per_year = NAN,
                                          .staff_per_year = NAN,
                                          .spares_percent = NAN,
                                          .power_watts = NAN};

/* "[node cpu-genoa]" */
static int open_section(struct reader *r, char *line)
{
    struct prices *p = r->p;
    char *end = strrchr(line, ']'), *word = line + 1;

    if (!end || end[1])
        return REFUSE(r, "a section is [node CLASS], [buy NAME], [mix] or [inspection]");
    *end = '\0';
    size_t n = strcspn(word, " ");
    char *name = word + n + strspn(word + n, " ");
    word[n] = '\0';
    if (strcmp(word, "mix") == 0 && !*name) {
        r->section = SECTION_MIX;
        return 0;
    }
    if (strcmp(word, "inspection") == 0 && !*name) {
        r->section = SECTION_INSPECTION;
        r->at = &p->inspection;
        return 0;
    }
    if (!*name || strlen(name) >= PRICES_WORD)
        return REFUSE(r, "[%.40s] needs a name of at most %d bytes", word, PRICES_WORD - 1);
    utf8_clean(name);
    if (strcmp(word, "node") == 0 && p->n_nodes < PRICES_NODES) {
        r->section = SECTION_NODE;
        r->at = &p->node[p->n_nodes++];
        *(struct price_node *)r->at = no_node;
        snprintf(((struct price_node *)r->at)->name, PRICES_WORD, "%s", name);
        return 0;
    }
    if (strcmp(word, "buy") == 0 && p->n_buys < PRICES_BUYS) {
        r->section = SECTION_BUY;
        r->at = &p->buy[p->n_buys++];
        *(struct price_buy *)r->at = (struct price_buy){.factor = 1};
        snprintf(((struct price_buy *)r->at)->name, PRICES_WORD, "%s", name);
        return 0;
    }
    return REFUSE(
        r, "'%.40s' is not a section, or there are more than 8; use node, buy, mix or inspection",
        word);
}

/* Without blanks at both ends. */
static char *trimmed(char *text)
{
    text += strspn(text, " \t");
    for (size_t n = strlen(text); n && strchr(" \t\r", text[n - 1]); n--)
        text[n - 1] = '\0';
    return text;
}

static int read_line(struct reader *r, char *line)
{
    line = trimmed(line);
    if (!*line || *line == '#')
        return 0;
    if (*line == '[')
        return open_section(r, line);
    char *equals = strchr(line, '=');
    if (!equals)
        return REFUSE(r, "'%.40s' is not 'key = value'", line);
    *equals = '\0';
    return put_line(r, trimmed(line), trimmed(equals + 1));
}

static int check(const struct prices *p, const char *name, struct err *e)
{
    if (!p->currency[0] || !p->as_of[0])
        return err_set(e, "%s: currency and as_of are needed", name);
    if (!(p->life_years > 0) || !(p->hours_available_per_year > 0))
        return err_set(e, "%s: life_years and hours_available_per_year are needed", name);
    for (int i = 0; i < p->n_nodes; i++)
        if (!(p->node[i].purchase > 0))
            return err_set(e, "%s: [node %s] needs purchase", name, p->node[i].name);
    return 0;
}

int prices_parse(struct prices *p, const char *text, size_t size, const char *name, struct err *e)
{
    struct prices fresh = {.pue = 1, .kwh = NAN};
    struct reader r = {.p = &fresh, .name = name, .at = &fresh, .e = e};
    char *copy = strndup(text, size), *at = copy;
    int rc = copy ? 0 : err_set(e, "out of memory");

    while (rc == 0 && at && *at) {
        char *line = at, *end = strchr(at, '\n');
        at = end ? end + 1 : NULL;
        if (end)
            *end = '\0';
        r.line++;
        rc = read_line(&r, line);
    }
    free(copy);
    if (rc == 0 && (rc = check(&fresh, name, e)) == 0)
        *p = fresh;
    return rc;
}

int prices_load(struct prices *p, const char *path, struct err *e)
{
    size_t size;
    char *text = slurp(AT_FDCWD, path, 0, MOST_BYTES, &size);

    if (!text)
        return err_set(e, "cannot read the price file %s: %s", path, strerror(errno));
    int rc = prices_parse(p, text, size, path, e);
    free(text);
    return rc;
}

const char prices_default[] = HPCAI500_SYSCONFDIR "/prices.conf";

int prices_find(struct prices *p, const char **name, struct err *e)
{
    if (!*name && access(prices_default, R_OK) == 0)
        *name = prices_default;
    return *name ? prices_load(p, *name, e) : 0;
}

/* ---- what follows ---- */

const struct price_node *prices_node(const struct prices *p, const char *hardware_class)
{
    const struct price_node *any = NULL;

    for (int i = 0; i < p->n_nodes; i++) {
        if (strcmp(p->node[i].name, hardware_class) == 0)
            return &p->node[i];
        if (strcmp(p->node[i].name, "*") == 0)
            any = &p->node[i];
    }
    return any;
}

double prices_data_sheet(const struct price_node *n, const char *dtype)
{
    double gflops = strcmp(dtype, "f32") == 0    ? n->data_sheet_gflops_f32
                    : strcmp(dtype, "bf16") == 0 ? n->data_sheet_gflops_bf16
                                                 : 0;

    return gflops > 0 ? 1e9 * gflops : NAN;
}

/* Years that a yearly amount counts. */
static double years(const struct prices *p)
{
    double r = p->discount_rate;
    return r > 0 ? (1 - pow(1 + r, -p->life_years)) / r : p->life_years;
}

static double power(const struct prices *p, double watts)
{
    return years(p) * watts * p->pue * p->hours_available_per_year * p->kwh / 1000;
}

static double given(double v)
{
    return isfinite(v) ? v : 0;
}

void prices_life(const struct prices *p, const struct price_node *n, struct price_life *life)
{
    double up = n->mtbf_hours > 0 ? n->mtbf_hours / (n->mtbf_hours + n->repair_hours) : 1;

    *life =
        (struct price_life){.purchase = n->purchase * (1 + given(n->spares_percent) / 100),
                            .support = years(p) * n->purchase * n->support_percent_per_year / 100,
                            .power = power(p, n->power_watts),
                            .staff = years(p) * n->staff_per_year};
    life->missing = (isfinite(life->support) ? 0u : PRICE_SUPPORT) |
                    (isfinite(life->power) ? 0u : PRICE_POWER) |
                    (isfinite(life->staff) ? 0u : PRICE_STAFF) |
                    (isfinite(n->spares_percent) ? 0u : PRICE_SPARES);
    life->sum = life->purchase + given(life->support) + given(life->power) + given(life->staff);
    life->node_hour = life->sum / (p->life_years * p->hours_available_per_year * up);
}

double prices_failures(const struct prices *p, const struct price_node *n, double nodes)
{
    if (!(n->mtbf_hours > 0))
        return 1;
    return 1 + nodes / n->mtbf_hours * (p->checkpoint_hours / 2 + p->restart_hours);
}

double prices_buy(const struct prices *p, const struct price_buy *b, double nodes)
{
    const double watts = b->watts_per_node == 0 ? 0 : given(power(p, b->watts_per_node));
    return b->fixed + nodes * (b->per_node + watts);
}

double prices_break_even(const struct prices *p, const struct price_node *n,
                         const struct price_buy *b, double nodes, double mix)
{
    struct price_life life;

    prices_life(p, n, &life);
    double frees = mix * nodes * life.sum;
    return frees > 0 ? prices_buy(p, b, nodes) / frees : NAN;
}

struct price_errors prices_inspection(const struct prices *p, double missed, double false_rejects)
{
    const struct price_inspection *i = &p->inspection;
    double parts = i->parts_per_year > 0 ? i->parts_per_year : NAN;

    return (struct price_errors){parts * i->flawed * missed * i->missed,
                                 parts * (1 - i->flawed) * false_rejects * i->false_reject};
}

double prices_day(const char *date)
{
    struct tm day = {0};

    return strptime(date, "%Y-%m-%d", &day) ? (double)timegm(&day) : NAN;
}

int prices_expired(const struct prices *p, double now)
{
    return now >= prices_day(p->valid_until) + 86400; /* false without a date */
}
