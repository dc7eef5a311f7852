/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The tables that say how the structs of a record read as JSON; shared by
 * the record and the journals, so that both mean the same.
 */
#ifndef RECORD_RECORD_FIELDS_H
#define RECORD_RECORD_FIELDS_H

#include "reports/record/fields.h"
#include "reports/record/record.h"

extern const struct field record_run_fields[];
extern const struct field record_job_fields[];
extern const struct field record_workload_head_fields[]; /* who: fixed when it begins */
extern const struct field record_workload_fields[];      /* what it reached */
extern const struct field record_epoch_fields[];

/* A row of facts.def: layer -1 for the inventory. */
struct fact_info {
    const char *key;
    int layer;
    int number; /* else a text */
};
extern const struct fact_info record_fact_info[FACT_COUNT];
extern const struct fact_info record_inventory_info[INVENTORY_COUNT];

/* Facts first to last under their keys. */
int record_facts_put(cJSON *o, const struct fact_info *info, const struct record_fact *facts,
                     int first, int last, const struct nulls *n);
/* Back again. In journals a reason stands as {"why": "..."}: see fields.h. */
void record_facts_get(const cJSON *o, const struct fact_info *info, struct record_fact *facts,
                      int count);

/* What an unfinished or zeroed result claims by accident becomes unmeasured. */
struct workload_result record_honest(const struct workload_result *r);

/* More than one rank or node: there is more than the record can hold. */
bool record_has_ranks(const struct record *r);

/* All of a node but its inventory. */
int record_node_put(cJSON *o, const struct record_node *node, const struct nulls *n);

#endif
