/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/validate/slurmctl_read.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <slurm/slurm_errno.h>

#include "spank/account/last_error.h"

/* ---- what went wrong ---- */

/* What libslurm's last error comes to, with its words. */
enum slurmctl_code read_failed(struct err *e, const char *what, const char *name)
{
    const int no = last_error();

    err_set(e, "%s %s: %s", what, name, no ? slurm_strerror(no) : "no answer");
    switch (no) {
    case ESLURM_USER_ID_MISSING: /* "Invalid user id": not an operator */
    case ESLURM_ACCESS_DENIED:
        return SLURMCTL_DENIED;
    case ESLURM_INVALID_NODE_NAME:
    case ESLURM_RESERVATION_INVALID:
        return SLURMCTL_NONE;
    case ESLURM_INVALID_NODE_STATE:
        return SLURMCTL_CHANGED;
    default:
        return SLURMCTL_LATER;
    }
}

/* ---- nodes ---- */

static unsigned base_flag(uint32_t state)
{
    switch (state & NODE_STATE_BASE) {
    case NODE_STATE_DOWN:
        return NODE_HAS_DOWN;
    case NODE_STATE_IDLE:
        return NODE_HAS_IDLE;
    case NODE_STATE_ALLOCATED:
        return NODE_HAS_ALLOCATED;
    case NODE_STATE_MIXED:
        return NODE_HAS_MIXED;
    default:
        return 0;
    }
}

unsigned read_flags(uint32_t state)
{
    static const struct {
        uint32_t slurm;
        unsigned ours;
    } table[] = {
        {NODE_STATE_DRAIN, NODE_HAS_DRAIN},
        {NODE_STATE_FAIL, NODE_HAS_FAIL},
        {NODE_STATE_COMPLETING, NODE_HAS_COMPLETING},
        {NODE_STATE_NO_RESPOND, NODE_HAS_NOT_RESPONDING},
        {NODE_STATE_POWERING_UP, NODE_HAS_POWERING_UP},
        {NODE_STATE_POWERING_DOWN, NODE_HAS_POWERING_DOWN},
        {NODE_STATE_POWERED_DOWN, NODE_HAS_POWERED_DOWN},
        {NODE_STATE_REBOOT_REQUESTED, NODE_HAS_REBOOT_REQUESTED},
        {NODE_STATE_REBOOT_ISSUED, NODE_HAS_REBOOT_ISSUED},
        {NODE_STATE_INVALID_REG, NODE_HAS_INVALID},
        {NODE_STATE_MAINT, NODE_HAS_MAINTENANCE},
        {NODE_STATE_RES, NODE_HAS_RESERVED},
        {NODE_STATE_PLANNED, NODE_HAS_PLANNED},
    };
    unsigned flags = base_flag(state);

    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (state & table[i].slurm)
            flags |= table[i].ours;
    return flags;
}

static void node_fill(struct node *n, const node_info_t *from)
{
    const char *reason = from->reason ? from->reason : "";

    *n = (struct node){
        .flags = read_flags(from->node_state),
        .reason_time = from->reason_time > 0 ? from->reason_time : 0,
        .boot_time = from->boot_time > 0 ? from->boot_time : 0,
        .reason_uid = *reason ? from->reason_uid : 0,
    };
    snprintf(n->name, sizeof n->name, "%s", from->name ? from->name : "");
    snprintf(n->reason, sizeof n->reason, "%s", reason);
    node_mark(n, reason);
}

void read_print(const char *before, const struct node *n)
{
    char line[NODE_LINE_SIZE];

    if (node_print(n, line, sizeof line))
        printf("%s%s\n", before, line);
}

enum slurmctl_code read_nodes(time_t since, struct err *e)
{
    node_info_msg_t *all = NULL;
    struct node n;

    if (slurm_load_node(since, &all, SHOW_ALL)) {
        if (last_error() != SLURM_NO_CHANGE_IN_DATA)
            return read_failed(e, "the table of", "nodes");
        printf("same %lld\n", (long long)since);
        return SLURMCTL_DONE;
    }
    uint32_t named = 0;
    for (uint32_t i = 0; i < all->record_count; i++)
        named += all->node_array[i].name != NULL; /* a FUTURE node has none */
    printf("nodes %lld %" PRIu32 "\n", (long long)all->last_update, named);
    for (uint32_t i = 0; i < all->record_count; i++) {
        if (!all->node_array[i].name)
            continue;
        node_fill(&n, &all->node_array[i]);
        read_print("", &n);
    }
    slurm_free_node_info_msg(all);
    return SLURMCTL_DONE;
}

enum slurmctl_code read_node(char *name, struct node *n, struct err *e)
{
    node_info_msg_t *one = NULL;

    if (slurm_load_node_single(&one, name, SHOW_ALL))
        return read_failed(e, "node", name);
    enum slurmctl_code code = SLURMCTL_NONE;
    if (one->record_count == 1 && one->node_array[0].name &&
        strcmp(one->node_array[0].name, name) == 0) {
        node_fill(n, &one->node_array[0]);
        code = SLURMCTL_DONE;
    } else {
        err_set(e, "there is no node %.64s", name);
    }
    slurm_free_node_info_msg(one);
    return code;
}

/* ---- a reservation ---- */

void reservation_fini(struct reservation *r)
{
    free(r->nodes);
    free(r->users);
    *r = (struct reservation){.nodes = NULL};
}

enum slurmctl_code reservation_read(const char *name, struct reservation *r, struct err *e)
{
    reserve_info_msg_t *all = NULL;
    enum slurmctl_code code = SLURMCTL_NONE;

    *r = (struct reservation){.nodes = NULL};
    if (slurm_load_reservations(0, &all))
        return read_failed(e, "reservation", name);
    for (uint32_t i = 0; i < all->record_count && code == SLURMCTL_NONE; i++) {
        const reserve_info_t *from = &all->reservation_array[i];
        if (!from->name || strcmp(from->name, name) != 0)
            continue;
        r->nodes = strdup(from->node_list ? from->node_list : "");
        r->users = strdup(from->users ? from->users : "");
        r->end = from->end_time;
        r->maintenance = from->flags & RESERVE_FLAG_MAINT;
        r->ignores_jobs = from->flags & RESERVE_FLAG_IGN_JOBS;
        r->specific = from->flags & RESERVE_FLAG_SPEC_NODES;
        code = r->nodes && r->users ? SLURMCTL_DONE : SLURMCTL_LATER;
    }
    slurm_free_reservation_info_msg(all);
    if (code != SLURMCTL_DONE)
        err_set(e,
                code == SLURMCTL_NONE ? "there is no reservation %.64s"
                                      : "no memory for reservation %.64s",
                name);
    return code;
}

void reservation_print(const struct reservation *r)
{
    printf("reservation %lld %s%s%s%s %s %s\n", r->end, r->maintenance ? "MAINT" : "",
           r->ignores_jobs ? "+IGNORE_JOBS" : "", r->specific ? "+SPEC_NODES" : "",
           r->maintenance || r->ignores_jobs || r->specific ? "" : "-",
           r->users[0] ? r->users : "-", r->nodes[0] ? r->nodes : "-");
}
