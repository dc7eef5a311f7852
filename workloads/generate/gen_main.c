/* SPDX-License-Identifier: BSD-3-Clause */
/* hpcai500-generate: makes the data that a class of a workload trains on. */
#include <config.h>

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <hdf5.h>

#include "reports/core/out.h"
#include "workloads/generate/gen_set.h"

#define PROGRAM "hpcai500-generate"

enum { EXIT_USAGE = 2, EXIT_NOT_RUN = 3, MAX_JOBS = 1024, MAX_SAMPLES = 1 << 28 };

struct options {
    const char *out, *layout;
    uint64_t jobs, rank, size, train, validation, parent;
};

/* What the children of one process share with it. */
struct board {
    _Atomic uint64_t made;
    struct err failed[]; /* [jobs] "" while all is well */
};

/* Numbers of the command line. rank and size: unset is UINT64_MAX. */
static const struct count {
    const char *name;
    size_t offset;
    uint64_t least, most;
} numbers[] = {
    {"jobs", offsetof(struct options, jobs), 1, MAX_JOBS},
    {"rank", offsetof(struct options, rank), 0, 1 << 24},
    {"size", offsetof(struct options, size), 1, 1 << 24},
    {"train", offsetof(struct options, train), 5, MAX_SAMPLES},
    {"validation", offsetof(struct options, validation), 1, MAX_SAMPLES},
    {"parent", offsetof(struct options, parent), 1, INT_MAX},
};

static void usage(FILE *f)
{
    fputs("usage: " PROGRAM " WORKLOAD,class=CLASS[,seed=N] --out DIR [options]\n"
          "  -o, --out DIR        the finished set; grows in DIR.partial\n"
          "  -j, --jobs N         processes (1)\n"
          "      --layout L       one of the published layouts of the data; else the first\n"
          "      --train N        samples instead of the class's own number\n"
          "      --validation N\n"
          "      --rank R         this is process R of --size processes that share DIR;\n"
          "      --size S         default: this task of a Slurm step\n"
          "      --parent PID     end when PID, which started this, has ended\n",
          f);
}

static int parse_number(struct options *o, const char *name, const char *text, struct err *e)
{
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        const struct count *n = &numbers[i];
        char *end;
        if (strcmp(n->name, name) != 0)
            continue;
        errno = 0;
        unsigned long long v = strtoull(text, &end, 10);
        if (errno || end == text || *end || strchr(text, '-') || v < n->least || v > n->most)
            return err_set(e, "--%s %s: expected %" PRIu64 " to %" PRIu64, name, text, n->least,
                           n->most);
        *(uint64_t *)((char *)o + n->offset) = v;
        return 0;
    }
    return err_set(e, "--%s is not known", name);
}

/* One of the tasks of a Slurm step, unless told otherwise. A batch script has
 * SLURM_NTASKS too, but is no step of so many tasks. */
static int find_rank(struct options *o, struct err *e)
{
    const char *rank = getenv("SLURM_PROCID"), *size = getenv("SLURM_STEP_NUM_TASKS");

    if (o->rank == UINT64_MAX && o->size == UINT64_MAX && rank && size)
        if (parse_number(o, "rank", rank, e) < 0 || parse_number(o, "size", size, e) < 0)
            return err_prefix(e, "SLURM_PROCID, SLURM_STEP_NUM_TASKS");
    if (o->rank == UINT64_MAX && o->size == UINT64_MAX)
        o->rank = 0, o->size = 1;
    if (o->rank >= o->size || o->size == UINT64_MAX)
        return err_set(e, "--rank and --size: expected both, with 0 <= rank < size");
    return 0;
}

/* 1: help was asked for. */
static int parse_options(struct options *o, int argc, char **argv, struct err *e)
{
    static const struct option table[] = {
        {"out", required_argument, NULL, 'o'},
        {"jobs", required_argument, NULL, 'j'},
        {"layout", required_argument, NULL, 'l'},
        {"rank", required_argument, NULL, 'n'},
        {"size", required_argument, NULL, 'n'},
        {"train", required_argument, NULL, 'n'},
        {"validation", required_argument, NULL, 'n'},
        {"parent", required_argument, NULL, 'n'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    int c, which;

    *o = (struct options){.jobs = 1, .rank = UINT64_MAX, .size = UINT64_MAX};
    opterr = 0;
    while ((c = getopt_long(argc, argv, "o:j:h", table, &which)) != -1) {
        switch (c) {
        case 'h':
            return 1;
        case 'o':
            o->out = optarg;
            break;
        case 'l':
            o->layout = optarg;
            break;
        case 'j':
        case 'n':
            if (parse_number(o, c == 'j' ? "jobs" : table[which].name, optarg, e) < 0)
                return -1;
            break;
        default:
            return err_set(e, "%s: not an option, or its value is missing", argv[optind - 1]);
        }
    }
    if (argc - optind != 1)
        return err_set(e, "expected one run text such as cosmoflow,class=tiny");
    if (!o->out)
        return err_set(e, "--out DIR is missing");
    return find_rank(o, e);
}

/* "cut or raw" */
static void layout_names(const struct science *s, char *text, size_t size)
{
    size_t at = 0;

    for (int i = 0; i < s->n_layouts && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%s",
                               i == 0                  ? ""
                               : i == s->n_layouts - 1 ? " or "
                                                       : ", ",
                               s->layouts[i].name);
}

/* The generator of the one workload that the text names. */
static const struct generator *find_generator(const struct runspec *r, const char *text,
                                              struct err *e)
{
    if (r->n_workloads != 1)
        return err_set(e, "'%.80s': give one workload", text), NULL;
    const struct runspec_workload *w = runspec_workload(r->workloads[0]);
    const struct science *s = w->science ? science_find(w->science) : NULL;
    if (!s)
        return err_set(e, "'%.80s': %s trains on no data", text, w->name), NULL;
    return generator_of(s);
}

/* The set that text and options mean. */
static int parse_set(struct gen_set *s, const char *text, const struct options *o, struct err *e)
{
    const unsigned known = 1u << KEY_CLASS | 1u << KEY_SEED;
    struct runspec r;
    char names[256];

    if (runspec_parse(&r, text, e) < 0)
        return -1;
    const struct generator *g = find_generator(&r, text, e);
    if (!g)
        return -1;
    const struct data_class *c = science_class(g->science, r.class);
    const int layout = o->layout ? science_layout(g->science, o->layout) : 0;
    if (!c)
        return err_set(e, "'%.80s': give class=tiny, small or standard", text);
    if (r.set & ~known)
        return err_set(e, "'%.80s': only class and seed mean something to data", text);
    layout_names(g->science, names, sizeof names);
    if (layout < 0)
        return err_set(e, "--layout %s: expected %s", o->layout, names);
    return gen_set_init(s, g, c, &g->science->layouts[layout],
                        r.set & 1u << KEY_SEED ? r.seed : g->science->seed, o->train, o->validation,
                        o->out, e);
}

static int check_space(const struct gen_set *s, struct err *e)
{
    struct statvfs v;

    if (statvfs(s->partial, &v) < 0)
        return err_set(e, "%s: %s", s->partial, strerror(errno));
    double left = (double)v.f_bavail * (double)v.f_frsize, need = (double)gen_set_bytes(s);
    if (need > left)
        return err_set(e, "%s: the set takes about %.1f GB, %.1f GB are free", s->out, need / 1e9,
                       left / 1e9);
    return 0;
}

/* A line that is rewritten on a terminal; every change for a program that reads
 * it (--parent; data/cache.c); else a line for each tenth. */
static void show(const struct options *o, uint64_t made, uint64_t share, bool last)
{
    static uint64_t shown;
    uint64_t step = isatty(STDERR_FILENO) || o->parent ? made : made * 10 / share;

    if (isatty(STDERR_FILENO))
        fprintf(stderr, "\r" PROGRAM ": %" PRIu64 " of %" PRIu64 " files%s", made, share,
                last ? "\n" : "");
    else if (step != shown)
        fprintf(stderr, PROGRAM ": %" PRIu64 " of %" PRIu64 " files\n", made, share);
    shown = step;
}

/* The children's shares; what the first that failed said. */
static int work(const struct gen_set *s, const struct options *o, struct err *e)
{
    const size_t bytes = sizeof(struct board) + o->jobs * sizeof(struct err);
    const uint64_t all = s->train + s->validation, size = o->size * o->jobs;
    struct board *b = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    uint64_t share = 0, running = 0;
    pid_t child[MAX_JOBS];
    int rc = 0;

    if (b == MAP_FAILED)
        return err_set(e, "no memory for %" PRIu64 " processes", o->jobs);
    for (uint64_t j = 0; j < o->jobs; j++) {
        uint64_t rank = o->rank * o->jobs + j;
        share += rank < all ? (all - rank - 1) / size + 1 : 0;
        child[j] = fork();
        if (child[j] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGTERM);
            _exit(gen_set_share(s, rank, size, &b->made, &b->failed[j]) < 0);
        }
        if (child[j] > 0)
            running++;
        else
            rc = err_set(e, "no process for share %" PRIu64 ": %s", j, strerror(errno));
    }
    while (running > 0) {
        int status;
        pid_t pid = waitpid(-1, &status, WNOHANG);
        if (pid == 0)
            nanosleep(&(struct timespec){.tv_nsec = 50000000}, NULL);
        else
            running--;
        if (o->rank == 0 && share)
            show(o, b->made, share, running == 0);
        for (uint64_t j = 0; pid > 0 && status != 0 && rc == 0 && j < o->jobs; j++)
            if (child[j] == pid)
                rc = b->failed[j].text[0] ? err_set(e, "%s", b->failed[j].text)
                                          : err_set(e, "process %ld was killed", (long)pid);
    }
    munmap(b, bytes);
    return rc;
}

/* Whoever waits for the data is gone: nobody is left to make them for. */
static int follow_parent(const struct options *o, struct err *e)
{
    if (o->parent == 0)
        return 0;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != (pid_t)o->parent)
        return err_set(e, "process %" PRIu64 " (--parent) is not the one that started this",
                       o->parent);
    return 0;
}

static int fail(int status, const struct err *e)
{
    fprintf(stderr, PROGRAM ": %s\n", e->text);
    if (status == EXIT_USAGE)
        fputs("Try " PROGRAM " --help\n", stderr);
    return status;
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct options o;
    struct gen_set s;
    uint64_t missing;

    out_guard(PROGRAM);
    H5Eset_auto2(H5E_DEFAULT, NULL, NULL);
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is a sentence, as a full disk is */
    int rc = parse_options(&o, argc, argv, &e);
    if (rc == 1) {
        usage(stdout);
        return EXIT_SUCCESS;
    }
    if (rc < 0 || parse_set(&s, argv[optind], &o, &e) < 0)
        return fail(EXIT_USAGE, &e);
    if (follow_parent(&o, &e) < 0)
        return fail(EXIT_NOT_RUN, &e);
    rc = gen_set_begin(&s, &e);
    if (rc < 0 || (rc == 0 && check_space(&s, &e) < 0))
        return fail(EXIT_NOT_RUN, &e);
    if (rc == 0) {
        if (work(&s, &o, &e) < 0)
            return fail(EXIT_FAILURE, &e);
        rc = gen_set_finish(&s, &missing, &e);
    }
    if (rc < 0)
        return fail(EXIT_FAILURE, &e);
    if (rc == 1)
        printf("%s\n", s.out);
    else if (o.rank == 0)
        fprintf(stderr, PROGRAM ": %" PRIu64 " files of %s are left to the other ranks\n", missing,
                s.out);
    return EXIT_SUCCESS;
}
