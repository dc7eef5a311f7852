/* SPDX-License-Identifier: BSD-3-Clause */
/* Of a record: the nodes, the nine layers, the job. */
#include <config.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reports/core/sha256.h"
#include "reports/record/record_put.h"

int record_facts_put(cJSON *o, const struct record *r)
{
    int rc = 0;

    for (int i = 0; rc == 0 && i < LAYER_COUNT; i++) {
        cJSON *layer = put_object(o, record_layers[i].key);
        rc = layer ? fields_put(layer, record_layers[i].facts, r, NULL) : -1;
    }
    return rc;
}

void record_facts_get(const cJSON *o, struct record *r)
{
    for (int i = 0; i < LAYER_COUNT; i++)
        fields_get(json_at(o, record_layers[i].key), record_layers[i].facts, r, NULL, NULL);
}

int record_node_put(cJSON *o, const struct record_node *node, const struct nulls *n)
{
    struct nulls below = n ? nulls_at(n, "inventory") : (struct nulls){NULL, ""};
    int rc = fields_put(o, record_node_fields, node, n);
    cJSON *inventory = put_object(o, "inventory");

    return inventory ? rc | fields_put(inventory, record_inventory_fields, node, n ? &below : NULL)
                     : -1;
}

void record_node_get(const cJSON *o, struct record_node *node)
{
    fields_get(o, record_node_fields, node, NULL, NULL);
    fields_get(json_at(o, "inventory"), record_inventory_fields, node, NULL, NULL);
}

static void hash_text(const char *text, char hex[SHA256_HEX_SIZE])
{
    struct sha256 s;

    sha256_init(&s);
    sha256_add(&s, text, strlen(text));
    sha256_hex(&s, hex);
}

/* SHA-256 over the object's text without white space, before it has a hash. */
static int put_hash(cJSON *o)
{
    char hex[SHA256_HEX_SIZE];
    char *text = cJSON_PrintUnformatted(o);

    if (!text)
        return -1;
    hash_text(text, hex);
    free(text);
    return put_text(o, "hash", hex, NULL, NULL);
}

/* ---- nodes ---- */

struct node_order {
    int node;
    int alike; /* nodes with the same inventory */
    char hex[SHA256_HEX_SIZE];
};

static int by_hash(const void *a, const void *b)
{
    const struct node_order *x = a, *y = b;
    int c = strcmp(x->hex, y->hex);
    return c ? c : x->node - y->node;
}

static int odd_first(const void *a, const void *b)
{
    const struct node_order *x = a, *y = b;
    return x->alike != y->alike ? (x->alike < y->alike ? -1 : 1) : x->node - y->node;
}

static int hash_node(const struct record_node *node, char hex[SHA256_HEX_SIZE])
{
    cJSON *o = cJSON_CreateObject();
    char *text = NULL;

    if (o && fields_put(o, record_inventory_fields, node, NULL) == 0)
        text = cJSON_PrintUnformatted(o);
    if (text)
        hash_text(text, hex);
    free(text);
    cJSON_Delete(o);
    return text ? 0 : -1;
}

/* rows in the order of their hashes: how many nodes are alike. */
static void count_alike(struct node_order *rows, int n)
{
    for (int begin = 0, end; begin < n; begin = end) {
        for (end = begin + 1; end < n && strcmp(rows[begin].hex, rows[end].hex) == 0; end++)
            ;
        for (int k = begin; k < end; k++)
            rows[k].alike = end - begin;
    }
}

/* Nodes in their order, or the rarest inventories first when not all can be
 * shown; digest is the hash over all inventories, whatever the names. */
static struct node_order *order_nodes(const struct record *r, const struct record_limits *limit,
                                      char digest[SHA256_HEX_SIZE])
{
    struct node_order *rows = calloc((size_t)r->n_nodes + 1, sizeof *rows);
    struct sha256 s;

    for (int i = 0; rows && i < r->n_nodes; i++) {
        rows[i].node = i;
        if (hash_node(&r->nodes[i], rows[i].hex) < 0) {
            free(rows);
            return NULL;
        }
    }
    if (!rows)
        return NULL;
    qsort(rows, (size_t)r->n_nodes, sizeof *rows, by_hash);
    sha256_init(&s);
    for (int i = 0; i < r->n_nodes; i++)
        sha256_add(&s, rows[i].hex, SHA256_HEX_SIZE - 1);
    sha256_hex(&s, digest);
    if (r->n_nodes > limit->nodes)
        count_alike(rows, r->n_nodes);
    qsort(rows, (size_t)r->n_nodes, sizeof *rows, odd_first);
    return rows;
}

static int put_nodes(cJSON *system, const struct record *r, const struct node_order *order,
                     const struct record_limits *limit, const struct nulls *n)
{
    int shown = r->n_nodes < limit->nodes ? r->n_nodes : limit->nodes;
    struct record_nodes counts = {r->n_nodes, r->n_nodes - shown};
    cJSON *array = put_array(system, "nodes");
    int rc = array ? 0 : -1;

    for (int i = 0; rc == 0 && i < shown; i++) {
        struct nulls at = nulls_at(n, "nodes[%d]", i);
        cJSON *o = cJSON_CreateObject();
        if (!o || !cJSON_AddItemToArray(array, o))
            return -1;
        rc = record_node_put(o, &r->nodes[order[i].node], &at);
    }
    return rc | fields_put(system, record_nodes_fields, &counts, n);
}

/* ---- the nine layers ---- */

static bool facts_equal(const struct record_fact *a, const struct record_fact *b)
{
    if (a->state != b->state)
        return false;
    if (a->state == FACT_NUMBER)
        return a->number == b->number;
    return strcmp(a->text, b->text) == 0;
}

/* The inventory that all nodes share; null where they differ. */
static int put_hardware(cJSON *o, const struct record *r, const char *digest, const struct nulls *n)
{
    struct record_hardware h = {.node_count = r->n_nodes};

    snprintf(h.inventories_sha256, sizeof h.inventories_sha256, "%s", digest);
    for (int k = 0; k < INVENTORY_COUNT; k++) {
        if (r->n_nodes)
            h.inventory[k] = r->nodes[0].inventory[k];
        else
            record_fact_unknown(&h.inventory[k], "no node was described");
        for (int i = 1; i < r->n_nodes; i++)
            if (!facts_equal(&h.inventory[k], &r->nodes[i].inventory[k])) {
                record_fact_unknown(&h.inventory[k], "differs between nodes");
                break;
            }
    }
    return fields_put(o, record_hardware_fields, &h, n);
}

/* One row per workload, by a table. */
static int put_workload_rows(cJSON *o, const struct record *r, const struct field *table,
                             const struct nulls *n)
{
    cJSON *array = put_array(o, "workloads");
    int rc = array ? 0 : -1;

    for (int i = 0; rc == 0 && i < r->n_workloads; i++) {
        struct nulls at = nulls_at(n, "workloads[%d]", i);
        cJSON *row = cJSON_CreateObject();
        if (!row || !cJSON_AddItemToArray(array, row))
            return -1;
        rc = fields_put(row, table, &r->workloads[i].result, &at);
    }
    return rc;
}

static int put_layers(cJSON *system, const struct record *r, const char *digest,
                      const struct nulls *n)
{
    cJSON *layers = put_object(system, "layers");
    int rc = layers ? 0 : -1;

    for (int i = 0; rc == 0 && i < LAYER_COUNT; i++) {
        struct nulls above = nulls_at(n, "layers");
        struct nulls at = nulls_at(&above, "%s", record_layers[i].key);
        cJSON *o = put_object(layers, record_layers[i].key);
        if (!o)
            return -1;
        if (i == LAYER_hardware)
            rc = put_hardware(o, r, digest, &at);
        else if (i == LAYER_hyper_parameters)
            rc = put_workload_rows(o, r, record_hyper_fields, &at);
        else if (i == LAYER_problem_domain)
            rc = put_workload_rows(o, r, record_domain_fields, &at);
        else
            rc = fields_put(o, record_layers[i].facts, r, &at);
        rc |= put_hash(o);
    }
    return rc;
}

int record_put_system(cJSON *doc, const struct record *r, const struct record_limits *limit,
                      const struct nulls *n)
{
    char digest[SHA256_HEX_SIZE];
    struct nulls at = nulls_at(n, "system");
    cJSON *system = put_object(doc, "system");
    struct node_order *order = order_nodes(r, limit, digest);
    int rc = -1;

    if (system && order)
        rc = put_layers(system, r, digest, &at) | put_nodes(system, r, order, limit, &at);
    free(order);
    return rc;
}

/* ---- the job ---- */

static int put_names(cJSON *o, const char *key, const struct record *r, bool plugin_only,
                     const struct record_limits *limit)
{
    char omitted[48];
    cJSON *array = put_array(o, key);
    int seen = 0;

    for (int i = 0; array && i < r->n_nodes; i++) {
        if (plugin_only && !r->nodes[i].plugin_remote)
            continue;
        if (seen++ >= limit->names)
            continue;
        cJSON *name = json_string(r->nodes[i].name);
        if (!name || !cJSON_AddItemToArray(array, name))
            return -1;
    }
    snprintf(omitted, sizeof omitted, "%s_omitted", key);
    return array ? put_number(o, omitted, seen > limit->names ? seen - limit->names : 0, NULL, NULL)
                 : -1;
}

int record_put_job(cJSON *doc, const struct record *r, const struct record_limits *limit,
                   const struct nulls *n)
{
    struct nulls at = nulls_at(n, "job");

    if (!r->job.present)
        return put_null(doc, "job", "not started by Slurm", n);
    cJSON *o = put_object(doc, "job");
    if (!o)
        return -1;
    return fields_put(o, record_job_fields, &r->job, &at) | put_names(o, "nodes", r, false, limit) |
           put_names(o, "plugin_remote", r, true, limit);
}
