/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500-slurmctl: all that hpcai500 asks of slurmctld and tells it, for
 * `hpcai500 validate`, which links no libslurm.
 *
 *     hpcai500-slurmctl nodes [SINCE]
 *     hpcai500-slurmctl reservation NAME
 *     hpcai500-slurmctl resume NODE MARK
 *     hpcai500-slurmctl drain NODE MARK REASON
 *     hpcai500-slurmctl leave RESERVATION NODES
 *     hpcai500-slurmctl extend RESERVATION SECONDS
 *
 * slurmctld has no compare-and-set. So each verb that writes reads first, compares with
 * what its caller had seen (MARK, node.h), writes, and reads again. What it never does
 * stands here and nowhere else, so that no caller can forget it: it clears no state and
 * replaces no reason but hpcai500's own, it resumes only a node that is DOWN by a reboot
 * for a validation and that nobody drained, and it never leaves a reservation with an
 * empty list of nodes, which Slurm would fill with others.
 *
 * nodes answers a line "nodes TIME N" (or "same TIME" when nothing changed since SINCE)
 * and one of node.h for each node: one RPC, whatever the size. reservation answers
 * "reservation END FLAGS USERS NODES". A verb that writes answers one line: a word of
 * slurmctl.h, and a sentence or the node as it is now.
 */
#include <config.h>

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>

#include "reports/core/err.h"
#include "reports/core/out.h"
#include "spank/account/last_error.h"
#include "spank/validate/node.h"
#include "spank/validate/slurmctl.h"

enum { ANSWER_SECONDS = 60 };

static const char *const words[SLURMCTL_CODES] = {
    [SLURMCTL_DONE] = "done",       [SLURMCTL_REFUSED] = "refused", [SLURMCTL_USAGE] = "usage",
    [SLURMCTL_LATER] = "later",     [SLURMCTL_NONE] = "none",       [SLURMCTL_DENIED] = "denied",
    [SLURMCTL_CHANGED] = "changed",
};

/* ---- what went wrong ---- */

/* What libslurm's last error comes to, with its words. */
static enum slurmctl_code failed(struct err *e, const char *what, const char *name)
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

static unsigned flags_of(uint32_t state)
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
        .flags = flags_of(from->node_state),
        .reason_time = from->reason_time > 0 ? from->reason_time : 0,
        .boot_time = from->boot_time > 0 ? from->boot_time : 0,
        .reason_uid = *reason ? from->reason_uid : 0,
    };
    snprintf(n->name, sizeof n->name, "%s", from->name ? from->name : "");
    snprintf(n->reason, sizeof n->reason, "%s", reason);
    node_mark(n, reason);
}

static void print_node(const char *before, const struct node *n)
{
    char line[NODE_LINE_SIZE];

    if (node_print(n, line, sizeof line))
        printf("%s%s\n", before, line);
}

static enum slurmctl_code nodes(char **word, struct err *e)
{
    const char *since = word[0];
    node_info_msg_t *all = NULL;
    struct node n;
    char *end = NULL;
    const long long from = since ? strtoll(since, &end, 10) : 0;

    if (since && (end == since || *end || from < 0))
        return err_set(e, "'%.32s' is not a time", since), SLURMCTL_USAGE;
    if (slurm_load_node((time_t)from, &all, SHOW_ALL)) {
        if (last_error() != SLURM_NO_CHANGE_IN_DATA)
            return failed(e, "the table of", "nodes");
        printf("same %lld\n", from);
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
        print_node("", &n);
    }
    slurm_free_node_info_msg(all);
    return SLURMCTL_DONE;
}

static enum slurmctl_code node_read(char *name, struct node *n, struct err *e)
{
    node_info_msg_t *one = NULL;

    if (slurm_load_node_single(&one, name, SHOW_ALL))
        return failed(e, "node", name);
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

/* ---- one node is written ---- */

/* Reads it and compares it with what the caller saw. */
static enum slurmctl_code look(char *name, const char *mark, struct node *n, struct err *e)
{
    enum slurmctl_code code = node_read(name, n, e);

    if (code != SLURMCTL_DONE || strcmp(n->mark, mark) == 0)
        return code;
    print_node("changed ", n);
    return SLURMCTL_CHANGED;
}

/* Sends it, reads the node again, and answers: `good` judges what is there then. */
static enum slurmctl_code write_node(update_node_msg_t *m,
                                     bool (*good)(const struct node *, const char *), struct err *e)
{
    struct node now;

    if (slurm_update_node(m))
        return failed(e, "node", m->node_names);
    enum slurmctl_code code = node_read(m->node_names, &now, e);
    if (code != SLURMCTL_DONE)
        return code;
    code = good(&now, m->reason) ? SLURMCTL_DONE : SLURMCTL_CHANGED;
    print_node(code == SLURMCTL_DONE ? "done " : "changed ", &now);
    return code;
}

static bool is_drained(const struct node *n, const char *reason)
{
    return (n->flags & NODE_HAS_DRAIN) && strcmp(n->reason, reason) == 0;
}

static bool is_resumed(const struct node *n, const char *reason)
{
    (void)reason;
    return !node_is_out(n);
}

static enum slurmctl_code drain(char **word, struct err *e)
{
    char *name = word[0], *reason = word[2];
    update_node_msg_t m;
    struct node n;

    if (node_reason_check(reason, e) < 0)
        return SLURMCTL_REFUSED;
    enum slurmctl_code code = look(name, word[1], &n, e);
    if (code != SLURMCTL_DONE)
        return code;
    if (is_drained(&n, reason)) {
        print_node("there ", &n);
        return SLURMCTL_DONE;
    }
    if (node_is_out(&n) && !node_reason_ours(n.reason))
        return err_set(e, "%s is out of service for a reason that is not hpcai500's", name),
               SLURMCTL_REFUSED;
    slurm_init_update_node_msg(&m);
    m.node_names = name;
    m.node_state = NODE_STATE_DRAIN;
    m.reason = reason;
    m.reason_uid = getuid();
    return write_node(&m, is_drained, e);
}

static enum slurmctl_code resume(char **word, struct err *e)
{
    char *name = word[0];
    update_node_msg_t m;
    struct node n;
    enum slurmctl_code code = look(name, word[1], &n, e);

    if (code != SLURMCTL_DONE)
        return code;
    if (!(n.flags & NODE_HAS_DOWN) || (n.flags & (NODE_HAS_DRAIN | NODE_HAS_FAIL)) ||
        strncmp(n.reason, NODE_REASON_REBOOT, sizeof NODE_REASON_REBOOT - 1) != 0 ||
        !node_reason_ours(n.reason))
        return err_set(e,
                       "%s is not DOWN by a reboot for '" NODE_REASON_REBOOT
                       "' alone: a person resumes it",
                       name),
               SLURMCTL_REFUSED;
    slurm_init_update_node_msg(&m);
    m.node_names = name;
    m.node_state = NODE_RESUME;
    return write_node(&m, is_resumed, e);
}

/* ---- a reservation ---- */

struct reservation {
    char *nodes, *users; /* malloc */
    long long end;
    bool maintenance, ignores_jobs, specific;
};

static void reservation_fini(struct reservation *r)
{
    free(r->nodes);
    free(r->users);
    *r = (struct reservation){.nodes = NULL};
}

static enum slurmctl_code reservation_read(const char *name, struct reservation *r, struct err *e)
{
    reserve_info_msg_t *all = NULL;
    enum slurmctl_code code = SLURMCTL_NONE;

    *r = (struct reservation){.nodes = NULL};
    if (slurm_load_reservations(0, &all))
        return failed(e, "reservation", name);
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

static enum slurmctl_code reservation(char **word, struct err *e)
{
    struct reservation r;
    enum slurmctl_code code = reservation_read(word[0], &r, e);

    if (code == SLURMCTL_DONE)
        printf("reservation %lld %s%s%s%s %s %s\n", r.end, r.maintenance ? "MAINT" : "",
               r.ignores_jobs ? "+IGNORE_JOBS" : "", r.specific ? "+SPEC_NODES" : "",
               r.maintenance || r.ignores_jobs || r.specific ? "" : "-", r.users[0] ? r.users : "-",
               r.nodes[0] ? r.nodes : "-");
    reservation_fini(&r);
    return code;
}

/* What is left of `all` without `gone`, each by comma with `sign` before it; a list
 * that names a node twice leaves it out at once. NULL: out of memory. */
static char *hosts(const char *all, const char *gone, const char *sign, int *count)
{
    void *from = slurm_hostlist_create(all),
         *less = slurm_hostlist_create(gone); /* its type differs between releases */
    char *text = NULL, *host;
    size_t size = 0;
    FILE *f = from && less ? open_memstream(&text, &size) : NULL;

    *count = 0;
    while (f && (host = slurm_hostlist_shift(from))) {
        if (slurm_hostlist_find(less, host) < 0)
            fprintf(f, "%s%s%s", (*count)++ ? "," : "", sign, host);
        free(host);
    }
    if (f && fclose(f) != 0) {
        free(text);
        text = NULL;
    }
    if (from)
        slurm_hostlist_destroy(from);
    if (less)
        slurm_hostlist_destroy(less);
    return text;
}

static enum slurmctl_code reservation_end(char *name, struct err *e)
{
    reservation_name_msg_t m = {.name = name};

    if (slurm_delete_reservation(&m))
        return failed(e, "reservation", name);
    printf("done deleted\n");
    return SLURMCTL_DONE;
}

/* From 23.02 on slurmctld takes "-n1,-n2" (atomic, and it commutes); older releases
 * refuse it, and take a whole list. */
static enum slurmctl_code reservation_write(char *name, char *minus, char *rest, struct err *e)
{
    resv_desc_msg_t m;

    slurm_init_resv_desc_msg(&m);
    m.name = name;
    m.node_list = minus;
    if (slurm_update_reservation(&m) == 0)
        return SLURMCTL_DONE;
    if (last_error() != ESLURM_INVALID_NODE_NAME && last_error() != ESLURM_NOT_SUPPORTED)
        return failed(e, "reservation", name);
    m.node_list = rest;
    return slurm_update_reservation(&m) ? failed(e, "reservation", name) : SLURMCTL_DONE;
}

/* Whether exactly these nodes are in it. */
static bool holds(const struct reservation *r, const char *nodes)
{
    int more = 0, less = 0;
    char *a = hosts(r->nodes, nodes, "", &more), *b = hosts(nodes, r->nodes, "", &less);
    const bool same = a && b && more == 0 && less == 0;

    free(a);
    free(b);
    return same;
}

static enum slurmctl_code leave(char **word, struct err *e)
{
    char *name = word[0];
    const char *gone = word[1];
    struct reservation before, after = {.nodes = NULL};
    int n_rest = 0, n_gone = 0;
    enum slurmctl_code code = reservation_read(name, &before, e);

    if (code != SLURMCTL_DONE)
        return code;
    char *rest = hosts(before.nodes, gone, "", &n_rest);
    char *in = rest ? hosts(before.nodes, rest, "", &n_gone) : NULL;
    int n_minus = 0;
    char *minus = in ? hosts(in, "", "-", &n_minus) : NULL;

    if (!minus) {
        code = SLURMCTL_LATER;
        err_set(e, "no memory for a list of nodes");
    } else if (n_gone == 0) {
        printf("there %s\n", before.nodes);
    } else if (n_rest == 0) {
        code = reservation_end(name, e);
    } else {
        code = reservation_write(name, minus, rest, e);
        if (code == SLURMCTL_DONE)
            code = reservation_read(name, &after, e);
        if (code == SLURMCTL_DONE && !holds(&after, rest))
            code = SLURMCTL_CHANGED;
        if (code == SLURMCTL_DONE || code == SLURMCTL_CHANGED)
            printf("%s %s\n", words[code], after.nodes ? after.nodes : "-");
    }
    free(rest);
    free(in);
    free(minus);
    reservation_fini(&before);
    reservation_fini(&after);
    return code;
}

static enum slurmctl_code extend(char **word, struct err *e)
{
    char *name = word[0];
    const char *seconds = word[1];
    struct reservation before, after = {.nodes = NULL};
    resv_desc_msg_t m;
    char *end;
    const long n = strtol(seconds, &end, 10);

    if (end == seconds || *end || n < 1 || n > 366L * 86400)
        return err_set(e, "'%.32s' is not a number of seconds up to a year", seconds),
               SLURMCTL_USAGE;
    enum slurmctl_code code = reservation_read(name, &before, e);
    if (code != SLURMCTL_DONE)
        return code;
    slurm_init_resv_desc_msg(&m);
    m.name = name;
    m.duration = (uint32_t)((n + 59) / 60);
    m.flags = RESERVE_FLAG_DUR_PLUS;
    code = slurm_update_reservation(&m) ? failed(e, "reservation", name) : SLURMCTL_DONE;
    if (code == SLURMCTL_DONE)
        code = reservation_read(name, &after, e);
    if (code == SLURMCTL_DONE && after.end < before.end + n)
        code = SLURMCTL_CHANGED;
    if (code == SLURMCTL_DONE || code == SLURMCTL_CHANGED)
        printf("%s %lld\n", words[code], after.end);
    reservation_fini(&before);
    reservation_fini(&after);
    return code;
}

/* ---- the program ---- */

static const struct verb {
    const char *name, *words;
    int least, most;                                       /* words behind it */
    enum slurmctl_code (*ask)(char **word, struct err *e); /* word ends with NULL */
} verbs[] = {
    {"nodes", "[SINCE]", 0, 1, nodes},           {"reservation", "NAME", 1, 1, reservation},
    {"resume", "NODE MARK", 2, 2, resume},       {"drain", "NODE MARK REASON", 3, 3, drain},
    {"leave", "RESERVATION NODES", 2, 2, leave}, {"extend", "RESERVATION SECONDS", 2, 2, extend},
};

enum { N_VERBS = sizeof verbs / sizeof *verbs };

static int usage(FILE *f)
{
    for (int i = 0; i < N_VERBS; i++)
        fprintf(f, "%s hpcai500-slurmctl %s %s\n", i ? "      " : "usage:", verbs[i].name,
                verbs[i].words);
    return f == stdout ? 0 : SLURMCTL_USAGE;
}

/* libslurm waits for a slurmctld that hangs. */
static void too_long(int sig)
{
    static const char text[] = "later slurmctld does not answer\n";

    (void)sig;
    if (write(STDOUT_FILENO, text, sizeof text - 1) >= 0 || true)
        _exit(SLURMCTL_LATER);
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    int verb = 0;

    out_guard("hpcai500-slurmctl");
    if (argc == 2 && (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0))
        return usage(stdout);
    while (argc > 1 && verb < N_VERBS && strcmp(verbs[verb].name, argv[1]) != 0)
        verb++;
    if (argc < 2 || verb == N_VERBS || argc - 2 < verbs[verb].least || argc - 2 > verbs[verb].most)
        return usage(stderr);
    signal(SIGPIPE, SIG_IGN);
    signal(SIGALRM, too_long);
    alarm(ANSWER_SECONDS);
#if HAVE_DECL_SLURM_INIT
    slurm_init(NULL);
#endif
    enum slurmctl_code code = verbs[verb].ask(argv + 2, &e);
    if (e.text[0])
        printf("%s %s\n", words[code], e.text);
    return (int)code;
}
