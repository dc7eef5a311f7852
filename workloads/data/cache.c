/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/data/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/spawn.h"
#include "workloads/data/manifest.h"

enum { SAMPLED_HASHES = 8, ROUND_MILLISECONDS = 100, VISIBLE_SECONDS = 60 };

/* One rank's part in making a set. */
struct maker {
    const struct cache_order *order;
    const struct science *science;
    enum runspec_class class;
    const char *path;
    int leader;     /* rank that makes what this rank reads */
    int lock;       /* descriptor, -1 */
    pid_t child;    /* generator, 0 none */
    int talk;       /* its stderr, -1 */
    char line[256]; /* what it said last */
    size_t line_length;
    bool waiting;   /* another job holds the lock; a person was told */
    double made_at; /* when all leaders were done, 0 not yet */
};

static void say(const struct cache_order *order, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void say(const struct cache_order *order, const char *fmt, ...)
{
    char text[1024];
    va_list ap;

    if (!order->say || order->comm->rank != 0)
        return;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    order->say(order->ctx, text);
}

int cache_path(const char *cache_dir, const struct science *s, enum runspec_class class, char *path,
               size_t size, struct err *e)
{
    if (!cache_dir || !*cache_dir)
        return err_set(
            e, "there is no folder for generated data: set HPCAI500_CACHE, or use data=DIR");
    int n = snprintf(path, size, "%s/%s-%s-g%d-s%" PRIu64, cache_dir, s->name,
                     runspec_class_name(class), s->version, s->seed);
    if (n < 0 || (size_t)n >= size)
        return err_set(e, "the cache folder's name '%.80s...' is too long", cache_dir);
    return 0;
}

/* Whole files of a layout that is cut. */
static uint64_t rounded(const struct science *s, const struct data_class *c, long samples)
{
    const uint64_t n = (uint64_t)samples, per = science_per_file(s, &s->layouts[0], c);

    return s->layouts[0].cut ? (n + per - 1) / per * per : n;
}

/* The manifest is of just this class. */
static bool is_class(const struct manifest *m, const struct science *s, const struct data_class *c)
{
    return strcmp(m->science, s->name) == 0 &&
           strcmp(m->class_name, runspec_class_name(c->class)) == 0 &&
           strcmp(m->layout, s->layouts[0].name) == 0 && m->generator == s->version &&
           m->seed == s->seed && m->train_samples == rounded(s, c, c->train) &&
           m->validation_samples == rounded(s, c, c->validation);
}

static int verify(const char *path, const struct science *s, enum runspec_class class, bool all,
                  struct err *e)
{
    const struct data_class *c = science_class(s, class);
    struct manifest m;
    int rc = manifest_read(&m, path, NULL, e);

    if (rc != 0 || !c)
        return -1;
    rc = is_class(&m, s, c) ? manifest_verify(&m, path, all ? m.n_files : SAMPLED_HASHES, e)
                            : err_set(e, "%s/%s: not the manifest of the %s data of class %s", path,
                                      MANIFEST_NAME, s->name, runspec_class_name(class));
    manifest_fini(&m);
    return rc;
}

/* A name in a folder that others may write can be made first by anybody: a set
 * is believed that is a folder of this user, of root or of the cache's owner. */
static int check_owner(const char *path, struct err *e)
{
    char above[PATH_MAX];
    struct stat st, cache;

    if (lstat(path, &st) < 0)
        return errno == ENOENT ? 0 : err_set(e, "%s: %s", path, strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return err_set(e,
                       "%s is not a folder: somebody put something else there; remove it, or set "
                       "HPCAI500_CACHE to a folder of your own",
                       path);
    snprintf(above, sizeof above, "%s", path);
    char *slash = strrchr(above, '/');
    if (slash)
        slash[slash == above] = '\0';
    if (st.st_uid == geteuid() || st.st_uid == 0 ||
        (stat(slash ? above : ".", &cache) == 0 && st.st_uid == cache.st_uid))
        return 0;
    return err_set(e,
                   "%s belongs to user %ld, who could change it; have it removed, or set "
                   "HPCAI500_CACHE to a folder of your own",
                   path, (long)st.st_uid);
}

bool cache_ready(const char *path, const struct science *s, enum runspec_class class, struct err *e)
{
    return check_owner(path, e) == 0 && verify(path, s, class, false, e) == 0;
}

static int make_folders(const char *path, struct err *e)
{
    char part[PATH_MAX];
    size_t n = strlen(path);

    if (n >= sizeof part)
        return err_set(e, "the cache folder's name '%.80s...' is too long", path);
    memcpy(part, path, n + 1);
    for (char *c = part + 1; c <= part + n; c++) {
        char kept = *c;
        if (kept != '/' && kept != '\0')
            continue;
        *c = '\0';
        if (mkdir(part, 0777) < 0 && errno != EEXIST)
            return err_set(e, "%s: %s", part, strerror(errno));
        *c = kept;
    }
    return 0;
}

static void probe_name(const char *cache_dir, uint64_t token, int rank, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/.probe-%016" PRIx64 "-%d", cache_dir, token, rank);
}

/* The lowest rank whose probe this one sees; itself when it sees none. A name
 * never asked for before is not in any client's cache of names. */
static int lowest_seen(const char *cache_dir, uint64_t token, const char *probed, int ranks,
                       int self)
{
    char path[PATH_MAX];

    for (int r = 0; r < ranks; r++) {
        probe_name(cache_dir, token, r, path);
        if (probed[r] && access(path, F_OK) == 0)
            return r;
    }
    return self;
}

/* Who shares a file system: one rank a node leaves a probe of a random name,
 * all look. leader takes the rank that makes the data for this one. */
static int find_leader(const struct cache_order *order, int *leader, struct err *e)
{
    struct comm *c = order->comm;
    char mine = c->local_rank == 0, path[PATH_MAX];
    char *probed = calloc((size_t)c->size, 1);
    size_t *ones = calloc((size_t)c->size, sizeof *ones);
    uint64_t token = 0;
    int fd = -1, rc = probed && ones ? 0 : err_set(e, "no memory for %d ranks", c->size);

    if (c->rank == 0 && rc == 0 && getrandom(&token, sizeof token, 0) != sizeof token)
        rc = err_set(e, "no random numbers: %s", strerror(errno));
    if (comm_agree(c, rc, e) < 0 || c->broadcast(c, &token, sizeof token, 0, e) < 0)
        goto fail;
    for (int r = 0; r < c->size; r++)
        ones[r] = 1;
    if (c->allgatherv(c, &mine, probed, ones, e) < 0)
        goto fail;
    probe_name(order->folder, token, c->rank, path);
    if (mine) {
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
        rc = fd < 0 ? err_set(e, "%s: %s", path, strerror(errno)) : 0;
    }
    if (comm_agree(c, rc, e) < 0)
        goto fail;
    *leader = lowest_seen(order->folder, token, probed, c->size, c->rank);
    rc = c->barrier(c, e);
    goto out;
fail:
    rc = -1;
out:
    if (fd >= 0) {
        unlink(path);
        close(fd);
    }
    free(ones);
    free(probed);
    return rc;
}

/* Says how many file systems there are. Collective. */
static int tell_sharing(const struct cache_order *order, int leader, struct err *e)
{
    struct comm *c = order->comm;
    double systems = leader == c->rank;

    if (c->reduce(c, &systems, 1, COMM_SUM, e) < 0)
        return -1;
    if (systems > 1)
        say(order,
            "data cache %s: %.0f file systems under that name among %d ranks, each gets its own "
            "copy",
            order->folder, systems, c->size);
    else if (c->size > 1)
        say(order, "data cache %s: one file system, shared by all %d ranks", order->folder,
            c->size);
    return 0;
}

/* Starts the generator with its stderr in our pipe and a clean environment. */
static int start_generator(struct maker *m, struct err *e)
{
    char run[128], jobs[16], parent[16], libraries[PATH_MAX];
    const char *argv[] = {
        m->order->generator, run,    "--out", m->path, "--jobs", jobs, "--rank", "0", "--size", "1",
        "--parent",          parent, NULL};
    const char *envp[] = {"PATH=/usr/bin:/bin", "LC_ALL=C", NULL, NULL};
    const char *library_path = getenv("LD_LIBRARY_PATH");
    int ends[2];

    snprintf(run, sizeof run, "%s,class=%s,seed=%" PRIu64, m->order->workload,
             runspec_class_name(m->class), m->science->seed);
    snprintf(jobs, sizeof jobs, "%d", m->order->threads > 0 ? m->order->threads : 1);
    snprintf(parent, sizeof parent, "%ld", (long)getpid());
    if (library_path && (size_t)snprintf(libraries, sizeof libraries, "LD_LIBRARY_PATH=%s",
                                         library_path) < sizeof libraries)
        envp[2] = libraries;
    if (pipe2(ends, O_CLOEXEC) < 0)
        return err_set(e, "no pipe for the generator: %s", strerror(errno));
    const struct spawn spawn = {
        .argv = argv, .env = envp, .in = SPAWN_NULL, .out = SPAWN_NULL, .err = ends[1]};
    int rc = spawn_start(&spawn, &m->child);
    close(ends[1]);
    if (rc != 0) {
        m->child = 0;
        close(ends[0]);
        return err_set(e, "%s: %s", m->order->generator, strerror(rc));
    }
    m->talk = ends[0];
    fcntl(m->talk, F_SETFL, O_NONBLOCK);
    return 0;
}

/* A count is the caller's to show, anything else a line for a person. */
static void pass_on(const struct maker *m)
{
    const struct cache_order *order = m->order;
    uint64_t done, all;

    if (sscanf(m->line, "hpcai500-generate: %" SCNu64 " of %" SCNu64 " files", &done, &all) != 2)
        say(order, "%s", m->line);
    else if (order->count && order->comm->rank == 0)
        order->count(order->ctx, "making data, files", done, all);
}

/* Passes on the generator's lines; the last one stays in m->line. */
static void listen(struct maker *m)
{
    char text[1024];
    ssize_t n;

    while ((n = read(m->talk, text, sizeof text)) > 0)
        for (ssize_t i = 0; i < n; i++) {
            if (text[i] == '\n') {
                m->line[m->line_length] = '\0';
                pass_on(m);
                m->line_length = 0;
            } else if (m->line_length < sizeof m->line - 1) {
                m->line[m->line_length++] = text[i];
            }
        }
}

/* Lock in hand: makes what is not there. 1: it is there already. */
static int begin(struct maker *m, struct err *e)
{
    struct err why = ERR_INIT;

    if (cache_ready(m->path, m->science, m->class, &why))
        return 1;
    if (check_owner(m->path, e) < 0)
        return -1;
    if (access(m->path, F_OK) == 0)
        return err_set(e, "%s; remove %s to have it made again", why.text, m->path);
    if (!m->order->generator)
        return err_set(e,
                       "%s is missing, and so is the generator (hpcai500-generate): install it, or "
                       "use data=DIR",
                       m->path);
    say(m->order, "making the data of %s, class %s, in %s", m->order->workload,
        runspec_class_name(m->class), m->path);
    return start_generator(m, e);
}

/* Tries the lock. 1: another job has it. A file system without locks is no
 * failure, nor is a lock that somebody else made for himself or that is a link:
 * two generators make the same bytes and one rename wins. */
static int take_lock(struct maker *m, struct err *e)
{
    char name[PATH_MAX];

    if ((size_t)snprintf(name, sizeof name, "%s.lock", m->path) >= sizeof name)
        return err_set(e, "the cache folder's name '%.80s...' is too long", m->path);
    if (m->lock < 0)
        m->lock = open(name, O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0666);
    if (m->lock < 0 && (errno == EACCES || errno == ELOOP || errno == EISDIR))
        return 0;
    if (m->lock < 0)
        return err_set(e, "%s: %s", name, strerror(errno));
    if (flock(m->lock, LOCK_EX | LOCK_NB) == 0 || errno != EWOULDBLOCK)
        return 0;
    if (!m->waiting)
        say(m->order, "another job makes %s: waiting for it", m->path);
    m->waiting = true;
    return 1;
}

/* One look at what a leader has to do. 1: done, 0: go on, -1. */
static int lead(struct maker *m, struct err *e)
{
    int status, rc;

    if (m->child == 0) {
        rc = take_lock(m, e);
        return rc != 0 ? (rc < 0 ? -1 : 0) : begin(m, e);
    }
    listen(m);
    pid_t pid = waitpid(m->child, &status, WNOHANG);
    if (pid == 0 || (pid < 0 && errno == EINTR))
        return 0;
    listen(m);
    m->child = 0;
    if (pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return verify(m->path, m->science, m->class, true, e) == 0 ? 1 : -1;
    if (pid > 0 && WIFSIGNALED(status))
        return err_set(e, "the data generator was ended by signal %d", WTERMSIG(status));
    return err_set(e, "the data generator failed: %s", m->line[0] ? m->line : "it did not say why");
}

/* What others do: see whether it is there. It must be, soon after the leaders
 * are done; network file systems may be late. */
static int follow(struct maker *m, struct err *e)
{
    char name[PATH_MAX];
    struct err why = ERR_INIT;

    snprintf(name, sizeof name, "%s/%s", m->path, MANIFEST_NAME);
    if (access(name, F_OK) == 0 && cache_ready(m->path, m->science, m->class, &why))
        return 1;
    if (m->made_at == 0 || m->order->now() < m->made_at + VISIBLE_SECONDS)
        return 0;
    return err_set(e, "%s was made by rank %d, but %s", m->path, m->leader,
                   why.text[0] ? why.text : "is not seen here");
}

static bool must_stop(const struct cache_order *order)
{
    return (order->stop && order->stop(order->ctx)) ||
           (order->deadline > 0 && order->now() > order->deadline);
}

/* All ranks look, agree, and sleep a little, until all have what they need.
 * None of them blocks for longer than a round. */
static int make(struct maker *m, bool ready, struct err *e)
{
    struct comm *c = m->order->comm;
    const bool leads = m->leader == c->rank;
    int state = ready ? 1 : 0;

    for (;;) {
        if (state == 0)
            state = leads ? lead(m, e) : follow(m, e);
        /* leaders at work; anyone at work; a failure; a wish to stop */
        double v[4] = {leads && state == 0, state == 0, state < 0, must_stop(m->order)};
        if (c->reduce(c, v, 4, COMM_MAX, e) < 0)
            return -1;
        if (v[2] > 0 || v[1] == 0)
            return comm_agree(c, state < 0 ? -1 : 0, e);
        if (v[3] > 0)
            return err_set(e, "stopped or out of time while the data of %s, class %s, were made",
                           m->order->workload, runspec_class_name(m->class));
        if (v[0] == 0 && m->made_at == 0)
            m->made_at = m->order->now();
        nanosleep(&(struct timespec){.tv_nsec = ROUND_MILLISECONDS * 1000000L}, NULL);
    }
}

static void maker_fini(struct maker *m)
{
    if (m->child > 0) {
        kill(m->child, SIGTERM);
        while (waitpid(m->child, NULL, 0) < 0 && errno == EINTR)
            ;
    }
    if (m->talk >= 0)
        close(m->talk);
    if (m->lock >= 0)
        close(m->lock);
}

/* What a person must do for data that are too large to make unasked. */
static int refuse_standard(const struct cache_order *order, const struct science *s,
                           const struct data_class *c, const char *path, struct err *e)
{
    const double samples = (double)(c->train + c->validation);

    return err_set(e,
                   "no data of class %s in %s; make them (%.1f TB, %.0f core-hours) with: hpcai500 "
                   "data generate %s,class=%s --out %s -j N",
                   runspec_class_name(c->class), path,
                   samples * (double)science_sample_bytes(s, c) / c->deflates / 1e12,
                   samples * c->seconds_per_1000 / 1000 / 3600, order->workload,
                   runspec_class_name(c->class), path);
}

int cache_prepare(const struct cache_order *order, const struct science *s,
                  enum runspec_class class, char *path, size_t size, double *made_seconds,
                  struct err *e)
{
    struct comm *c = order->comm;
    struct maker m = {.order = order,
                      .science = s,
                      .class = class,
                      .path = path,
                      .leader = c->rank,
                      .lock = -1,
                      .talk = -1};
    struct err why = ERR_INIT;
    const struct data_class *row = science_class(s, class);
    int rc = row ? cache_path(order->folder, s, class, path, size, e)
                 : err_set(e, "the %s data have no class %s", s->name, runspec_class_name(class));

    *made_seconds = 0;
    if (comm_agree(c, rc, e) < 0)
        return -1;
    bool ready = cache_ready(path, s, class, &why);
    double all = ready;
    if (c->reduce(c, &all, 1, COMM_MIN, e) < 0)
        return -1;
    if (all > 0)
        return 0;
    if (class == CLASS_STANDARD) {
        rc = ready ? 0 : refuse_standard(order, s, row, path, e);
        return comm_agree(c, rc, e);
    }
    if (comm_agree(c, make_folders(order->folder, e), e) < 0)
        return -1;
    if (find_leader(order, &m.leader, e) < 0 || tell_sharing(order, m.leader, e) < 0)
        return -1;
    const double began = order->now();
    rc = make(&m, ready, e);
    maker_fini(&m);
    *made_seconds = order->now() - began;
    return rc;
}
