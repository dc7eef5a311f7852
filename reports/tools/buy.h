/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What hpcai500 show --buy says of each workload of a record; and as JSON:
 *
 *     {"schema": "hpcai500/buy", "schema_version": "1.0", "id": "lab-4711.0.3",
 *      "workloads": [{"name", "class", "nodes",
 *          "why": null, or why nothing can be said,
 *          "replay": {"measured_seconds", "played_seconds", "error", "held_out", "drift"},
 *          "shared_cores", "free": [{"what", "factor", "taken", "gain"}], "together": GAIN,
 *          "purchases": [{"name", "what", "factor", "gain", "price", "saved_low",
 *                         "saved_high", "worth", "rival": {"nodes", "gain"}, "advised"}],
 *          "asked": [{"what", "factor", "gain"}],   --what
 *          "money": {"currency", "as_of", "expired", "node_hour", "run", "quality"}}]}
 *
 * GAIN is {"state": "predicted|bound|refused", "low", "middle", "high", "step_seconds",
 * "untested", "beyond", "why"}: samples per second, after over before. What changes batch or
 * nodes also has "quality": {"state": "predicted|bound|never|refused", "low", "middle",
 * "high", "epochs", "why"}: time to quality, before over after (reports/predict/quality.h),
 * and epochs, after over before. A number that is not known is null.
 *
 * Life:    subjects borrow from document and prices; free() the array.
 * Failure: -1 or NULL and a sentence.
 * Threads: pure but for the steps file.
 */
#ifndef TOOLS_BUY_H
#define TOOLS_BUY_H

#include "reports/report/advice.h"
#include "reports/tools/show_buy.h"

enum { BUY_ASKED = 16 };

struct subject {
    const char *id, *name, *size, *date, *class;
    double nodes;
    char why[256]; /* nothing can be said; "": advice holds */
    struct advice advice;
    struct buy_asked {
        struct what what;
        struct prediction gain;
        struct quality quality;
    } asked[BUY_ASKED];
    int n_asked;
    const struct prices *prices;
    const struct price_node *node;
    bool expired;
    double node_hour, run_price, quality_price;
    unsigned missing; /* enum price_part: not in the price file, and not in these */
};

/* One for each workload that the steps file has. 1: it has no workload of the record. */
int buy_subjects(const cJSON *doc, const struct buy_options *o, struct subject **s, int *n,
                 struct err *e);
/* free() it. */
char *buy_json(const struct subject *s, int n, struct err *e);

#endif
