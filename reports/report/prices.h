/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Money: the site's price file, hpcai500-prices.conf(5), and what follows from it.
 * Every amount is in the file's currency; nothing is assumed that it does not
 * say.
 *
 *     life cost of a node = purchase (1 + spares) +
 *                           years (support + staff + W x PUE x hours x price of a kWh)
 *     node-hour           = that / (life x hours available a year x A)
 *     A                   = mtbf / (mtbf + repair), 1 where they are not given
 *
 * With a discount rate r the yearly part counts (1 - (1 + r)^-life) / r years.
 *
 * A purchase of price M that shortens steps from 1 to 1 - s frees s of the
 * node-hours of its share of the site's work, which cost today
 * mix x nodes x life cost of a node; it pays if that is more than M.
 * prices_break_even() is the s at which both are equal.
 *
 * What the file does not say costs nobody nothing: it is NAN, it is not in a sum, and
 * who shows the sum says so (price_life.missing). Failures of a long job lose, of each
 * of its node-hours, nodes / mtbf x (checkpoint / 2 + restart) hours.
 *
 * Life:    plain data of some 10 KiB; nothing to free.
 * Failure: -1 and a sentence with file and line; *p is unchanged. What cannot
 *          be computed is NAN.
 * Threads: pure but for the file.
 */
#ifndef REPORT_PRICES_H
#define REPORT_PRICES_H

#include <stddef.h>

#include "reports/core/err.h"

enum { PRICES_WORD = 64, PRICES_TEXT = 128, PRICES_NODES = 8, PRICES_BUYS = 8, PRICES_MIX = 16 };

struct price_node {
    char name[PRICES_WORD]; /* the hardware class, as records name it, or "*" */
    double purchase, support_percent_per_year, staff_per_year, spares_percent, power_watts;
    double mtbf_hours, repair_hours;
    double data_sheet_gflops_f32, data_sheet_gflops_bf16; /* of a node; 0: not given */
};

struct price_buy {
    char name[PRICES_WORD];
    char resource[PRICES_WORD]; /* network_bandwidth, storage, ... */
    double factor, per_node, fixed, watts_per_node;
};

struct price_mix {
    char name[PRICES_WORD]; /* of a workload */
    double share;           /* of the site's node-hours, 0 to 1 */
};

/* What an inspection of parts costs when it is wrong (workload defect). */
struct price_inspection {
    double parts_per_year;       /* 0: the file has no [inspection] */
    double flawed;               /* of them, 0 to 1 */
    double missed, false_reject; /* of one part */
};

struct prices {
    char currency[4]; /* ISO 4217; "": there is no price file */
    char as_of[16], valid_until[16], source[PRICES_TEXT];
    double kwh, pue, life_years, hours_available_per_year, discount_rate, nodes;
    double checkpoint_hours, restart_hours;
    int n_nodes, n_buys, n_mix;
    struct price_node node[PRICES_NODES];
    struct price_buy buy[PRICES_BUYS];
    struct price_mix mix[PRICES_MIX];
    struct price_inspection inspection;
};

/* Reads the file. */
int prices_load(struct prices *p, const char *path, struct err *e);
int prices_parse(struct prices *p, const char *text, size_t size, const char *name, struct err *e);

/* The site's: where a file that nobody names is. */
extern const char prices_default[];

/* Reads *name; NULL: prices_default where it is there, else *name stays NULL. */
int prices_find(struct prices *p, const char **name, struct err *e);

/* The row of that hardware class, else that of "*"; NULL: none. */
const struct price_node *prices_node(const struct prices *p, const char *hardware_class);

/* FLOP/s that a node has by its data sheet in a precision; NAN: it does not say. */
double prices_data_sheet(const struct price_node *n, const char *dtype);

enum price_part { PRICE_SUPPORT = 1, PRICE_POWER = 2, PRICE_STAFF = 4, PRICE_SPARES = 8 };

/* The parts of a node over its life; NAN: the file does not say, and the sum lacks it. */
struct price_life {
    double purchase, support, power, staff, sum;
    double node_hour;
    unsigned missing; /* of enum price_part */
};
void prices_life(const struct prices *p, const struct price_node *n, struct price_life *life);

/* 1 + what failures lose of a job of so many nodes; 1 where the file does not say. */
double prices_failures(const struct prices *p, const struct price_node *n, double nodes);

/* Price of an option for so many nodes, with the power it adds over its life. */
double prices_buy(const struct prices *p, const struct price_buy *b, double nodes);

/* The part of the time, 0 to 1, that an option must save in work whose share of
 * the site's node-hours is `mix`, to pay for itself; above 1: it cannot. */
double prices_break_even(const struct prices *p, const struct price_node *n,
                         const struct price_buy *b, double nodes, double mix);

/* Of an inspection that lets `missed` of the flawed parts through and rejects
 * `false_rejects` of the good ones, both 0 to 1, in a year; NAN: there is no [inspection]. */
struct price_errors {
    double missed, false_rejects;
};
struct price_errors prices_inspection(const struct prices *p, double missed, double false_rejects);

/* Seconds since 1970 of a date of the file ("2026-11-01"); NAN: it has none. */
double prices_day(const char *date);

/* Whether the prices are past their date at that time (seconds since 1970). */
int prices_expired(const struct prices *p, double now);

#endif
