/* SPDX-License-Identifier: BSD-3-Clause */
/* The table of tests, and which of them a budget buys. */
#include <config.h>

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "workloads/node/node.h"

static const struct row {
    const char *name, *finds;
    double seconds[PROFILES], power;
    enum node_cause cause;
} rows[NODE_TESTS] = {
#define NODE_TEST(symbol, name, quick, standard, deep, cause, power, finds)                        \
    {name, finds, {quick, standard, deep}, power, CAUSE_##cause},
#include "workloads/node/tests.def"
};

static const double shipped[NODE_CAUSES] = {
    [CAUSE_NETWORK] = 0.4, [CAUSE_MEMORY] = 0.2,   [CAUSE_COMPUTE] = 0.15,
    [CAUSE_DISK] = 0.1,    [CAUSE_NUMBERS] = 0.05, [CAUSE_REST] = 0.1};

static const char *const cause_words[NODE_CAUSES] = {
    [CAUSE_NETWORK] = "network", [CAUSE_MEMORY] = "memory",   [CAUSE_COMPUTE] = "compute",
    [CAUSE_DISK] = "disk",       [CAUSE_NUMBERS] = "numbers", [CAUSE_REST] = "rest"};

static const char *const profiles[] = {"quick", "standard", "deep"};

const char *node_profile_word(enum node_profile p)
{
    return profiles[p];
}

int node_profile_parse(const char *word)
{
    for (int p = 0; p < PROFILES; p++)
        if (strcmp(profiles[p], word) == 0)
            return p;
    return -1;
}

const char *node_test_word(enum node_test t)
{
    return rows[t].name;
}

const char *node_test_finds(enum node_test t)
{
    return rows[t].finds;
}

int node_test_parse(const char *word)
{
    for (int t = 0; t < NODE_TESTS; t++)
        if (strcmp(rows[t].name, word) == 0)
            return t;
    return -1;
}

double node_test_seconds(enum node_test t, enum node_profile p)
{
    return rows[t].seconds[p];
}

long node_calls(enum node_profile p)
{
    static const long calls[PROFILES] = {3000, 40000, 500000};

    return calls[p];
}

static double sum(unsigned tests, enum node_profile p)
{
    double seconds = 0;

    for (int t = 0; t < NODE_TESTS; t++)
        if (tests & 1U << t)
            seconds += rows[t].seconds[p];
    return seconds;
}

/* The test that finds most in a second and fits in what is left; -1: none. */
static int best(unsigned taken, enum node_profile p, const double *priors, double left)
{
    double most = 0;
    int is = -1;

    for (int t = 0; t < NODE_TESTS; t++) {
        const struct row *r = &rows[t];
        double missed = 1;
        if (taken & 1U << t || r->seconds[p] <= 0 || r->seconds[p] > left)
            continue;
        for (int k = 0; k < NODE_TESTS; k++)
            if (taken & 1U << k && rows[k].cause == r->cause)
                missed *= 1 - rows[k].power;
        double gain = priors[r->cause] * missed * r->power / r->seconds[p];
        if (gain > most) {
            most = gain;
            is = t;
        }
    }
    return is;
}

unsigned node_choose(enum node_profile p, double budget, double *seconds)
{
    return node_choose_by(p, budget, NULL, seconds);
}

static int cause_find(const char *word, size_t n)
{
    for (int c = 0; c < NODE_CAUSES; c++)
        if (strlen(cause_words[c]) == n && strncmp(cause_words[c], word, n) == 0)
            return c;
    return -1;
}

int node_priors_parse(const char *text, double priors[NODE_CAUSES], struct err *e)
{
    memcpy(priors, shipped, sizeof shipped);
    for (const char *at = text; *at;) {
        const size_t n = strcspn(at, ":,");
        const int cause = cause_find(at, n);
        char *end = NULL;
        const double value = at[n] == ':' ? strtod(at + n + 1, &end) : -1;
        if (cause < 0 || !(value >= 0 && value <= 1) || end == at + n + 1 || (*end && *end != ','))
            return err_set(e, "'%.32s' is not a cause and its prior, memory:0.2", at);
        priors[cause] = value;
        at = *end ? end + 1 : end;
    }
    return 0;
}

unsigned node_choose_by(enum node_profile p, double budget, const double priors[NODE_CAUSES],
                        double *seconds)
{
    priors = priors ? priors : shipped;
    unsigned tests = 1U << NODE_TEST_inventory;

    if (budget <= 0) {
        for (int t = 0; t < NODE_TESTS; t++)
            if (rows[t].seconds[p] > 0)
                tests |= 1U << t;
    } else {
        for (int t; (t = best(tests, p, priors, budget - sum(tests, p))) >= 0;)
            tests |= 1U << t;
    }
    if (seconds)
        *seconds = sum(tests, p);
    return tests;
}
