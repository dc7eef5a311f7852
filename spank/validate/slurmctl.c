/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hpcai500-slurmctl: all that hpcai500 asks of slurmctld and tells it, for
 * `hpcai500 validate`, which links no libslurm.
 *
 *     hpcai500-slurmctl nodes [SINCE]
 *     hpcai500-slurmctl reservation NAME
 *     hpcai500-slurmctl look RESERVATION | - NODES
 *     hpcai500-slurmctl events NODE SINCE UNTIL
 *     hpcai500-slurmctl resume NODE MARK
 *     hpcai500-slurmctl drain NODE MARK REASON
 *     hpcai500-slurmctl restore NODE MARK UID REASON
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
 * "reservation END FLAGS USERS NODES". look answers both, then "member NODE" for each node
 * of the reservation (or of NODES), "job ID STATE NODE,..." for each job of this user that
 * measures nodes, and "end": all that a poll needs, in three RPCs. events answers what
 * slurmdbd knows of the node's troubles in that time, a line of node.h each whose times
 * are begin and end (0: it lasts), and "end". A verb that writes answers one line: a word
 * of slurmctl.h, and a sentence or the node as it is now.
 *
 * No slurmctld keeps others out between the second reading and the write. Who drained the
 * node in that millisecond is seen in its events; restore puts his drain back.
 */
#include <config.h>

#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <slurm/slurm.h>
#include <slurm/slurm_errno.h>

#include "reports/core/err.h"
#include "reports/core/out.h"
#include "spank/account/last_error.h"
#include "spank/validate/node.h"
#include "spank/validate/slurmctl.h"
#include "spank/validate/slurmctl_read.h"

enum { ANSWER_SECONDS = 60 };

static const char *const words[SLURMCTL_CODES] = {
    [SLURMCTL_DONE] = "done",       [SLURMCTL_REFUSED] = "refused", [SLURMCTL_USAGE] = "usage",
    [SLURMCTL_LATER] = "later",     [SLURMCTL_NONE] = "none",       [SLURMCTL_DENIED] = "denied",
    [SLURMCTL_CHANGED] = "changed",
};

static enum slurmctl_code nodes(char **word, struct err *e)
{
    char *end = NULL;
    const long long since = word[0] ? strtoll(word[0], &end, 10) : 0;

    if (word[0] && (end == word[0] || *end || since < 0))
        return err_set(e, "'%.32s' is not a time", word[0]), SLURMCTL_USAGE;
    return read_nodes((time_t)since, e);
}

/* ---- one node is written ---- */

/* Reads it and compares it with what the caller saw. */
static enum slurmctl_code look(char *name, const char *mark, struct node *n, struct err *e)
{
    enum slurmctl_code code = read_node(name, n, e);

    if (code != SLURMCTL_DONE || strcmp(n->mark, mark) == 0)
        return code;
    read_print("changed ", n);
    return SLURMCTL_CHANGED;
}

/* Sends it, reads the node again, and answers: `good` judges what is there then. */
static enum slurmctl_code write_node(update_node_msg_t *m,
                                     bool (*good)(const struct node *, const char *), struct err *e)
{
    struct node now;

    if (slurm_update_node(m))
        return read_failed(e, "node", m->node_names);
    enum slurmctl_code code = read_node(m->node_names, &now, e);
    if (code != SLURMCTL_DONE)
        return code;
    code = good(&now, m->reason) ? SLURMCTL_DONE : SLURMCTL_CHANGED;
    read_print(code == SLURMCTL_DONE ? "done " : "changed ", &now);
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

/* Nobody's reason but ours goes. */
static enum slurmctl_code write_drain(struct node *n, char *reason, uint32_t uid, struct err *e)
{
    update_node_msg_t m;

    if (node_is_out(n) && !node_reason_ours(n->reason))
        return err_set(e, "%s is out of service for a reason that is not hpcai500's", n->name),
               SLURMCTL_REFUSED;
    slurm_init_update_node_msg(&m);
    m.node_names = n->name;
    m.node_state = NODE_STATE_DRAIN;
    m.reason = reason;
    m.reason_uid = uid;
    return write_node(&m, is_drained, e);
}

static enum slurmctl_code drain(char **word, struct err *e)
{
    struct node n;

    if (node_reason_check(word[2], e) < 0)
        return SLURMCTL_REFUSED;
    enum slurmctl_code code = look(word[0], word[1], &n, e);
    if (code != SLURMCTL_DONE)
        return code;
    if (!is_drained(&n, word[2]))
        return write_drain(&n, word[2], getuid(), e);
    read_print("there ", &n);
    return SLURMCTL_DONE;
}

/* Somebody's drain that a write of ours went over: his words and his name, again. */
static enum slurmctl_code restore(char **word, struct err *e)
{
    char *end;
    const unsigned long long uid = strtoull(word[2], &end, 10);
    struct node n;

    if (end == word[2] || *end || uid >= NO_VAL)
        return err_set(e, "'%.32s' is not a user's number", word[2]), SLURMCTL_USAGE;
    enum slurmctl_code code = look(word[0], word[1], &n, e);
    return code == SLURMCTL_DONE ? write_drain(&n, word[3], (uint32_t)uid, e) : code;
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

static enum slurmctl_code reservation(char **word, struct err *e)
{
    struct reservation r;
    enum slurmctl_code code = reservation_read(word[0], &r, e);

    if (code == SLURMCTL_DONE)
        reservation_print(&r);
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
        return read_failed(e, "reservation", name);
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
        return read_failed(e, "reservation", name);
    m.node_list = rest;
    return slurm_update_reservation(&m) ? read_failed(e, "reservation", name) : SLURMCTL_DONE;
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
    code = slurm_update_reservation(&m) ? read_failed(e, "reservation", name) : SLURMCTL_DONE;
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
    {"nodes", "[SINCE]", 0, 1, nodes},
    {"reservation", "NAME", 1, 1, reservation},
    {"look", "RESERVATION | - NODES", 1, 2, read_look},
    {"events", "NODE SINCE UNTIL", 3, 3, read_events},
    {"resume", "NODE MARK", 2, 2, resume},
    {"drain", "NODE MARK REASON", 3, 3, drain},
    {"restore", "NODE MARK UID REASON", 4, 4, restore},
    {"leave", "RESERVATION NODES", 2, 2, leave},
    {"extend", "RESERVATION SECONDS", 2, 2, extend},
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
