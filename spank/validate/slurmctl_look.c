/* SPDX-License-Identifier: BSD-3-Clause */
/* What a poll needs, in three RPCs; and a node's events, of slurmdbd. */
#include <config.h>

#include "spank/validate/slurmctl_read.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slurm/slurm_errno.h>
#include <slurm/slurmdb.h>

#include "spank/account/last_error.h"

/* ---- lists of nodes ---- */

/* Each node of a host list: `before`, its name, `after`; how many. */
static int print_hosts(const char *list, const char *before, const char *between)
{
    void *hosts = slurm_hostlist_create(list); /* its type differs between releases */
    char *host;
    int n = 0;

    while (hosts && (host = slurm_hostlist_shift(hosts))) {
        printf("%s%s", n++ ? between : before, host);
        free(host);
    }
    if (hosts)
        slurm_hostlist_destroy(hosts);
    return n;
}

static void print_members(const char *list)
{
    if (list[0] && print_hosts(list, "member ", "\nmember ") > 0)
        putchar('\n');
}

/* ---- jobs that measure ---- */

static unsigned long job_number(const slurm_job_info_t *j)
{
#if HAVE_SLURM_JOB_INFO_T_JOB_ID
    return j->job_id;
#else
    return j->step_id.job_id;
#endif
}

/* NULL: it has ended. */
static const char *job_word(const slurm_job_info_t *j)
{
    if (j->job_state & JOB_COMPLETING)
        return "COMPLETING";
    switch (j->job_state & JOB_STATE_BASE) {
    case JOB_PENDING:
        return "PENDING";
    case JOB_RUNNING:
    case JOB_SUSPENDED:
        return "RUNNING";
    default:
        return NULL;
    }
}

static enum slurmctl_code print_jobs(struct err *e)
{
    job_info_msg_t *all = NULL;

    if (slurm_load_job_user(&all, getuid(), SHOW_ALL | SHOW_LOCAL))
        return read_failed(e, "the jobs of", "this user");
    for (uint32_t i = 0; i < all->record_count; i++) {
        const slurm_job_info_t *j = &all->job_array[i];
        const char *word = job_word(j), *nodes = j->nodes && *j->nodes ? j->nodes : j->req_nodes;
        if (!word || !j->name || strcmp(j->name, SLURMCTL_JOB) != 0)
            continue;
        printf("job %lu %s ", job_number(j), word);
        if (!nodes || print_hosts(nodes, "", ",") == 0)
            putchar('-');
        putchar('\n');
    }
    slurm_free_job_info_msg(all);
    return SLURMCTL_DONE;
}

enum slurmctl_code read_look(char **word, struct err *e)
{
    const bool named = strcmp(word[0], "-") != 0;
    struct reservation r = {.nodes = NULL};

    if (named == (word[1] != NULL))
        return err_set(e, "look needs a reservation, or '-' and nodes"), SLURMCTL_USAGE;
    enum slurmctl_code code = named ? reservation_read(word[0], &r, e) : SLURMCTL_DONE;
    if (code == SLURMCTL_DONE)
        code = read_nodes(0, e);
    if (code == SLURMCTL_DONE && named)
        reservation_print(&r);
    if (code == SLURMCTL_DONE)
        print_members(named ? r.nodes : word[1]);
    if (code == SLURMCTL_DONE)
        code = print_jobs(e);
    if (code == SLURMCTL_DONE)
        puts("end");
    reservation_fini(&r);
    return code;
}

/* ---- events ---- */

static void print_event(const slurmdb_event_rec_t *from)
{
    const char *reason = from->reason ? from->reason : "";
    struct node n = {.flags = read_flags(from->state),
                     .reason_time = from->period_start,
                     .boot_time = from->period_end,
                     .reason_uid = from->reason_uid};

    snprintf(n.name, sizeof n.name, "%s", from->node_name ? from->node_name : "");
    snprintf(n.reason, sizeof n.reason, "%s", reason);
    node_mark(&n, reason);
    read_print("", &n);
}

static enum slurmctl_code print_events(void *connection, slurmdb_event_cond_t *c, struct err *e)
{
    errno = 0;
    void *list = slurmdb_events_get(connection, c);
    void *at = list ? slurm_list_iterator_create(list) : NULL;
    const slurmdb_event_rec_t *event;

    if (!at)
        return read_failed(e, "the events of", c->node_list);
    while ((event = slurm_list_next(at)))
        print_event(event);
    puts("end");
    slurm_list_iterator_destroy(at);
    slurm_list_destroy(list);
    return SLURMCTL_DONE;
}

/* slurmdbd keeps the nodes of many clusters; slurmctld says which is ours. */
static char *cluster_name(void)
{
    slurm_conf_t *conf = NULL;

    if (slurm_load_ctl_conf(0, &conf))
        return NULL;
    char *name = conf->cluster_name ? strdup(conf->cluster_name) : NULL;
    slurm_free_ctl_conf(conf);
    return name;
}

static int parse_time(const char *text, time_t *t)
{
    char *end;
    const long long v = strtoll(text, &end, 10);

    *t = (time_t)v;
    return end == text || *end || v < 0 ? -1 : 0;
}

enum slurmctl_code read_events(char **word, struct err *e)
{
    slurmdb_event_cond_t c;
    uint16_t flags = 0;

    memset(&c, 0, sizeof c);
    c.event_type = SLURMDB_EVENT_NODE;
    c.node_list = word[0];
    c.cpus_min = c.cpus_max = 0;
    if (parse_time(word[1], &c.period_start) < 0 || parse_time(word[2], &c.period_end) < 0 ||
        c.period_end <= c.period_start)
        return err_set(e, "'%.32s %.32s' is not a time and a later one", word[1], word[2]),
               SLURMCTL_USAGE;
    char *cluster = cluster_name();
    if (!cluster)
        return read_failed(e, "the name of", "this cluster");
    c.cluster_list = slurm_list_create(NULL);
    slurm_list_append(c.cluster_list, cluster);
    void *connection = slurmdb_connection_get(&flags);
    enum slurmctl_code code = connection
                                  ? print_events(connection, &c, e)
                                  : (err_set(e, "no connection to slurmdbd"), SLURMCTL_LATER);
    if (connection)
        slurmdb_connection_close(&connection);
    slurm_list_destroy(c.cluster_list);
    free(cluster);
    return code;
}
