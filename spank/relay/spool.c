/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/relay/spool.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include "reports/core/atomic.h"
#include "reports/core/slurp.h"
#include "spank/relay/bundle.h"

enum {
    DROP_INODES = 4096,    /* of a drop folder's tmpfs */
    REMOVE_BUDGET = 20000, /* entries of a plain folder that one call removes */
    REMOVE_DEPTH = 16,
    NAME_SIZE = 64 /* JOB, JOB.state */
};

/* ---- folders of root's ---- */

/* A folder of owner's (or root's) that nobody else can write. */
static int check_folder(int fd, const char *name, bool anybodys, struct err *e)
{
    struct stat st;

    if (fstat(fd, &st) < 0)
        return err_set(e, "the spool's %s: %s", name, strerror(errno));
    if (!anybodys && st.st_uid != geteuid())
        return err_set(e, "the spool's %s belongs to user %ld, not to root", name, (long)st.st_uid);
    if (st.st_mode & 022)
        return err_set(e, "the spool's %s can be written by others (mode %04o); chmod go-w it",
                       name, (unsigned)(st.st_mode & 07777));
    return 0;
}

/* Opens folder/name, made with that mode when it is missing. *made may be NULL. */
static int enter(int folder, const char *name, mode_t mode, bool *made, struct err *e)
{
    bool fresh = mkdirat(folder, name, mode) == 0;
    int fd = -1;

    if (fresh || errno == EEXIST)
        fd = openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        err_set(e, "the spool's %s: %s", name, strerror(errno));
    if (made)
        *made = fresh;
    return fd;
}

static int enter_own(int folder, const char *name, struct err *e)
{
    int fd = enter(folder, name, 0755, NULL, e);

    if (fd >= 0 && check_folder(fd, name, false, e)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int enter_out(int top, const char *service_user, struct err *e)
{
    bool made;
    int fd = enter(top, "out", 0700, &made, e);

    if (fd >= 0 && made && service_user) { /* names are looked up once in a spool's life */
        struct passwd *pw = getpwnam(service_user);
        if (pw && fchown(fd, pw->pw_uid, pw->pw_gid) < 0) {
            err_set(e, "the spool's out cannot be given to %s: %s", service_user, strerror(errno));
            close(fd);
            return -1;
        }
    }
    if (fd >= 0 && check_folder(fd, "out", true, e)) {
        close(fd);
        return -1;
    }
    return fd;
}

static int open_top(const char *path, bool make, struct err *e)
{
    if (make && mkdir(path, 0755) < 0 && errno != EEXIST)
        return err_set(e, "the spool %s: %s", path, strerror(errno));
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    return fd < 0 ? err_set(e, "the spool %s: %s", path, strerror(errno)) : fd;
}

int spool_make_out(const char *path, const char *service_user, struct err *e)
{
    mode_t mask = umask(022);
    int top = open_top(path, true, e);
    int out = top < 0 ? -1 : enter_out(top, service_user, e);

    umask(mask);
    if (top >= 0)
        close(top);
    if (out >= 0)
        close(out);
    return out < 0 ? -1 : 0;
}

int spool_open(struct spool *s, const char *path, const char *node, const char *service_user,
               struct err *e)
{
    struct spool next = SPOOL_INIT;
    int jobs = -1, rc = -1;
    mode_t mask = umask(022);

    if (!bundle_name_ok(node) || strchr(node, '/')) {
        err_set(e, "'%s' is not a node's name", node);
        goto out;
    }
    if ((next.top = open_top(path, true, e)) < 0 || check_folder(next.top, "top", false, e) ||
        (jobs = enter_own(next.top, "jobs", e)) < 0 || (next.node = enter_own(jobs, node, e)) < 0 ||
        (next.out = enter_out(next.top, service_user, e)) < 0)
        goto out;
    *s = next;
    rc = 0;
out:
    umask(mask);
    if (jobs >= 0)
        close(jobs);
    if (rc)
        spool_close(&next);
    return rc;
}

void spool_close(struct spool *s)
{
    int *const fds[] = {&s->top, &s->node, &s->out};

    for (int i = 0; i < 3; i++) {
        if (*fds[i] >= 0)
            close(*fds[i]);
        *fds[i] = -1;
    }
}

int spool_open_out(const char *path, struct err *e)
{
    int top = open_top(path, false, e);
    int fd = top < 0 ? -1 : openat(top, "out", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

    if (top >= 0 && fd < 0)
        err_set(e, "the spool %s has no out: %s", path, strerror(errno));
    if (top >= 0)
        close(top);
    if (fd >= 0 && check_folder(fd, "out", true, e)) {
        close(fd);
        return -1;
    }
    return fd;
}

int spool_has_room(int folder, uint64_t bytes, uint64_t reserve, struct err *e)
{
    struct statvfs v;

    if (fstatvfs(folder, &v) < 0)
        return err_set(e, "the spool: %s", strerror(errno));
    uint64_t free_bytes = (uint64_t)v.f_bavail * v.f_frsize;
    if (free_bytes < bytes || free_bytes - bytes < reserve)
        return err_set(e, "the spool has %llu MB left; %llu MB are kept free",
                       (unsigned long long)(free_bytes >> 20), (unsigned long long)(reserve >> 20));
    if (v.f_files > 0 && v.f_favail < 16)
        return err_set(e, "the spool has no inodes left");
    return 0;
}

/* ---- drop folders ---- */

static const char *job_name(char name[NAME_SIZE], long job, const char *tail)
{
    snprintf(name, NAME_SIZE, "%ld%s", job, tail);
    return name;
}

static int open_drop(struct spool *s, const char *name)
{
    return openat(s->node, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* A tmpfs on the folder that fd is; what is then there is another folder. */
static int mount_on(int fd, uint64_t size)
{
    char self[32], options[96];

    snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
    snprintf(options, sizeof options, "size=%llu,nr_inodes=%d,mode=0700", (unsigned long long)size,
             DROP_INODES);
    return mount("hpcai500", self, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC, options);
}

int spool_drop_make(struct spool *s, long job, uid_t uid, uint64_t size, struct err *e)
{
    char name[NAME_SIZE];
    int fd = -1, rc = -1;

    job_name(name, job, "");
    if (mkdirat(s->node, name, 0700) < 0)
        return err_set(e, "drop folder of job %ld: %s", job, strerror(errno));
    fd = open_drop(s, name);
    if (fd >= 0 && size > 0 && mount_on(fd, size) == 0) {
        close(fd);
        fd = open_drop(s, name);
    }
    /* -1: the group stays root's, and has no rights */
    if (fd >= 0 && fchown(fd, uid, (gid_t)-1) == 0)
        rc = 0;
    else
        err_set(e, "drop folder of job %ld: %s", job, strerror(errno));
    if (fd >= 0)
        close(fd);
    if (rc)
        spool_drop_remove(s, job, NULL);
    return rc;
}

int spool_drop_seal(struct spool *s, long job, struct err *e)
{
    char name[NAME_SIZE];
    int fd = open_drop(s, job_name(name, job, ""));

    if (fd < 0)
        return errno == ENOENT ? -1
                               : err_set(e, "drop folder of job %ld: %s", job, strerror(errno));
    if (fchown(fd, geteuid(), (gid_t)-1) < 0 || fchmod(fd, 0700) < 0) {
        err_set(e, "drop folder of job %ld cannot be closed to its user: %s", job, strerror(errno));
        close(fd);
        return -1;
    }
    return fd;
}

/* Removes what is in folder; what lies too deep is moved up to top first, so
 * that no depth is a recursion. budget counts entries. */
static void empty(int folder, int top, int depth, int *budget)
{
    int again = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = again < 0 ? NULL : fdopendir(again);
    struct dirent *row;

    if (!d && again >= 0)
        close(again);
    while (d && *budget > 0 && (row = readdir(d))) {
        if (strcmp(row->d_name, ".") == 0 || strcmp(row->d_name, "..") == 0)
            continue;
        --*budget;
        if (unlinkat(folder, row->d_name, 0) == 0)
            continue;
        int fd = openat(folder, row->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
            continue;
        if (depth < REMOVE_DEPTH) {
            empty(fd, top, depth + 1, budget);
        } else {
            char up[32];
            snprintf(up, sizeof up, ".up-%d", *budget);
            renameat(folder, row->d_name, top, up);
        }
        close(fd);
        unlinkat(folder, row->d_name, AT_REMOVEDIR);
    }
    if (d)
        closedir(d);
}

/* Whether our tmpfs, not the folder below it, is what fd is. */
static bool is_mounted(struct spool *s, int fd)
{
    struct stat here, parent;
    struct statfs fs;

    return fstat(fd, &here) == 0 && fstat(s->node, &parent) == 0 && here.st_dev != parent.st_dev &&
           fstatfs(fd, &fs) == 0 && fs.f_type == TMPFS_MAGIC;
}

/* The path by which umount2() finds an entry of the node's folder. */
static void unmount(struct spool *s, const char *name)
{
    char path[64 + NAME_SIZE];

    snprintf(path, sizeof path, "/proc/self/fd/%d/%s", s->node, name);
    umount2(path, MNT_DETACH | UMOUNT_NOFOLLOW);
}

int spool_drop_remove(struct spool *s, long job, struct err *e)
{
    char name[NAME_SIZE];
    int budget = REMOVE_BUDGET;

    job_name(name, job, "");
    for (int layer = 0; layer < 4; layer++) { /* a second mount should not be there, but may */
        int fd = open_drop(s, name);
        if (fd < 0)
            return errno == ENOENT ? 0
                                   : err_set(e, "drop folder of job %ld: %s", job, strerror(errno));
        bool mounted = is_mounted(s, fd);
        if (!mounted)
            for (int before = -1; budget > 0 && budget != before;) {
                before = budget; /* a pass that found nothing is the last */
                empty(fd, fd, 0, &budget);
            }
        close(fd);
        if (mounted)
            unmount(s, name);
        else if (unlinkat(s->node, name, AT_REMOVEDIR) == 0)
            return 0;
        else
            break;
    }
    return err_set(e, "drop folder of job %ld could not be removed: %s", job, strerror(errno));
}

/* ---- facts ---- */

/* What prolog and epilog are told, and where it stands. */
static const struct fact {
    const char *name, *env; /* env NULL: not from there */
    enum { A_TEXT, A_LONG, AN_INT, A_TIME } kind;
    size_t offset, size;
} facts[] = {
#define FACT(member, env, kind)                                                                    \
    {                                                                                              \
#member, env, kind, offsetof(struct witness, member), sizeof((struct witness *)0)->member  \
    }
    FACT(job, "SLURM_JOB_ID", A_LONG),
    FACT(uid, "SLURM_JOB_UID", A_LONG),
    FACT(restart, "SLURM_JOB_RESTART_COUNT", AN_INT),
    FACT(array_job, "SLURM_ARRAY_JOB_ID", A_LONG),
    FACT(array_task, "SLURM_ARRAY_TASK_ID", A_LONG),
    FACT(het_job, "SLURM_HET_JOB_ID", A_LONG),
    FACT(het_offset, "SLURM_HET_JOB_OFFSET", A_LONG),
    FACT(cluster, "SLURM_CLUSTER_NAME", A_TEXT),
    FACT(user, "SLURM_JOB_USER", A_TEXT),
    FACT(account, "SLURM_JOB_ACCOUNT", A_TEXT),
    FACT(partition, "SLURM_JOB_PARTITION", A_TEXT),
    FACT(node, "SLURMD_NODENAME", A_TEXT),
    FACT(nodes, "SLURM_NODELIST", A_TEXT),
    FACT(asked, "SPANK__SLURM_SPANK_OPTION_hpcai500_hpcai500", A_TEXT),
    FACT(begin, NULL, A_TIME),
    FACT(end, NULL, A_TIME),
#undef FACT
};

enum { N_FACTS = sizeof facts / sizeof *facts };

/* A whole number of Slurm's; what it has no number for is near 2^32. */
static long whole(const char *text)
{
    char *end;

    errno = 0;
    long v = strtol(text, &end, 10);
    return end == text || *end || errno || v < 0 || v >= 0xfffffff0L ? -1 : v;
}

static void fact_set(struct witness *w, const struct fact *f, const char *text)
{
    void *p = (char *)w + f->offset;

    switch (f->kind) {
    case A_TEXT:
        /* a cut list of hosts would be a wrong one */
        snprintf(p, f->size, "%s", strlen(text) < f->size ? text : "");
        break;
    case A_LONG:
        *(long *)p = whole(text);
        break;
    case AN_INT:
        *(int *)p = whole(text) > 0 ? (int)whole(text) : 0;
        break;
    case A_TIME:
        *(double *)p = *text ? strtod(text, NULL) : NAN;
        break;
    }
}

static void fact_put(FILE *out, const struct witness *w, const struct fact *f)
{
    const void *p = (const char *)w + f->offset;

    fprintf(out, "%s=", f->name);
    switch (f->kind) {
    case A_TEXT:
        for (const char *c = p; *c; c++)
            putc(*c < ' ' ? '?' : *c, out);
        break;
    case A_LONG:
        fprintf(out, "%ld", *(const long *)p);
        break;
    case AN_INT:
        fprintf(out, "%d", *(const int *)p);
        break;
    case A_TIME:
        if (!isnan(*(const double *)p))
            fprintf(out, "%.3f", *(const double *)p);
        break;
    }
    putc('\n', out);
}

int spool_facts(struct witness *w, struct err *e)
{
    for (int i = 0; i < N_FACTS; i++) {
        const char *text = facts[i].env ? getenv(facts[i].env) : NULL;
        if (text)
            fact_set(w, &facts[i], text);
    }
    if (w->job <= 0 || w->uid < 0 || !w->node[0])
        return err_set(e, "SLURM_JOB_ID, SLURM_JOB_UID and SLURMD_NODENAME do not say which job on "
                          "which node this is");
    return 0;
}

/* ---- state ---- */

static void boot_id(char id[64])
{
    slurp_text("/proc/sys/kernel/random/boot_id", id, 64);
    id[strcspn(id, "\n")] = '\0';
}

int spool_state_write(struct spool *s, const struct witness *w, struct err *e)
{
    char name[NAME_SIZE], next[NAME_SIZE], boot[64];
    struct atomic a;

    job_name(name, w->job, ".state");
    job_name(next, w->job, ".state.new");
    FILE *f = NULL;
    int rc = atomic_open(&a, s->node, name, next, 0600, ATOMIC_VOLATILE);
    if (rc == 0 && (f = atomic_stream(&a))) {
        boot_id(boot);
        fprintf(f, "boot=%s\n", boot);
        for (int i = 0; i < N_FACTS; i++)
            fact_put(f, w, &facts[i]);
        rc = atomic_publish(&a, NULL);
    }
    if (rc < 0 || !f)
        rc = err_set(e, "the spool's %s: %s", name, strerror(errno));
    atomic_discard(&a);
    return rc;
}

int spool_state_read(struct spool *s, long job, struct witness *w, bool *this_boot, struct err *e)
{
    char name[NAME_SIZE], boot[64], line[WITNESS_NODES_SIZE + 64];
    int fd = openat(s->node, job_name(name, job, ".state"),
                    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    FILE *f = fd < 0 ? NULL : fdopen(fd, "r");

    if (!f) {
        if (fd >= 0)
            close(fd);
        return fd < 0 && errno == ENOENT ? -1
                                         : err_set(e, "the spool's %s: %s", name, strerror(errno));
    }
    boot_id(boot);
    *this_boot = false;
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        char *value = strchr(line, '=');
        if (!value)
            continue;
        *value++ = '\0';
        if (strcmp(line, "boot") == 0)
            *this_boot = strcmp(value, boot) == 0;
        for (int i = 0; i < N_FACTS; i++)
            if (strcmp(line, facts[i].name) == 0)
                fact_set(w, &facts[i], value);
    }
    fclose(f);
    return w->job == job && w->uid >= 0
               ? 0
               : err_set(e, "the spool's %s does not say whose it is", name);
}

void spool_state_remove(struct spool *s, long job)
{
    char name[NAME_SIZE];

    unlinkat(s->node, job_name(name, job, ".state"), 0);
}

int spool_lock(struct spool *s, long job, int milliseconds)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = job, .l_len = 1};
    int fd = openat(s->node, ".lock", O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);

    if (fd < 0)
        return -1;
    for (;; milliseconds -= 10) {
        if (fcntl(fd, F_OFD_SETLK, &lock) == 0)
            return fd;
        if (milliseconds <= 0)
            break;
        nanosleep(&(struct timespec){.tv_nsec = 10 * 1000000L}, NULL);
    }
    close(fd);
    return -1;
}

int spool_jobs(struct spool *s, long *jobs, int most)
{
    int n = 0, again = openat(s->node, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = again < 0 ? NULL : fdopendir(again);
    struct dirent *row;

    if (!d) {
        if (again >= 0)
            close(again);
        return 0;
    }
    while (n < most && (row = readdir(d))) {
        char *end;
        long job = strtol(row->d_name, &end, 10);
        if (job > 0 && strcmp(end, ".state") == 0)
            jobs[n++] = job;
    }
    closedir(d);
    return n;
}
