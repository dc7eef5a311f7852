/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/place.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/conf.h"
#include "reports/core/fdio.h"

static bool writable(const char *dir)
{
    return access(dir, W_OK | X_OK) == 0;
}

/* Root made it and gave it to this user, and to nobody else. */
static bool is_drop(const char *path)
{
    struct stat st;

    return lstat(path, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid() && writable(path);
}

static void find_drop(char *drop, const char *spool)
{
    const char *job = getenv("HPCAI500_JOB"), *node = getenv("SLURMD_NODENAME");
    char path[PATH_MAX];

    drop[0] = '\0';
    if (!job || !*job)
        job = getenv("SLURM_JOB_ID");
    if (!job || !node || strchr(job, '/') || strchr(node, '/'))
        return;
    int n = snprintf(path, sizeof path, "%s/jobs/%s/%s", spool, node, job);
    if (n > 0 && n < (int)sizeof path && is_drop(path))
        memcpy(drop, path, (size_t)n + 1);
}

static int find_record(char *dir, const char *out, const char *drop, struct err *e)
{
    if (out[0]) {
        if (mkdir(out, 0777) < 0 && errno != EEXIST)
            return err_set(e, "cannot make the folder out=%s: %s", out, strerror(errno));
        if (!realpath(out, dir))
            return err_set(e, "there is no folder out=%s: %s", out, strerror(errno));
        return writable(dir) ? 0 : err_set(e, "out=%s cannot be written: %s", out, strerror(errno));
    }
    if (drop[0] && realpath(drop, dir))
        return 0;
    if (!getcwd(dir, PATH_MAX))
        return err_set(e, "there is no working folder: %s", strerror(errno));
    return writable(dir)
               ? 0
               : err_set(e, "the working folder %s cannot be written; say out=FOLDER", dir);
}

/* $HPCAI500_CACHE, the site's cache= (config.h knows both), the user's own. */
static void find_cache(char *cache, const char *of_site)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");

    snprintf(cache, PATH_MAX, "%s", of_site);
    if (cache[0])
        return;
    if (!home || !*home) {
        struct passwd *pw = getpwuid(getuid());
        home = pw ? pw->pw_dir : "/tmp";
    }
    if (xdg && *xdg)
        snprintf(cache, PATH_MAX, "%s/hpcai500", xdg);
    else
        snprintf(cache, PATH_MAX, "%s/.cache/hpcai500", home);
}

/* Installed: the folder of programs. Not installed: beside this program in the
 * built tree. */
static void find_generator(char *path)
{
    const char *said = getenv("HPCAI500_GENERATOR");
    char self[PATH_MAX - 64];

    snprintf(path, PATH_MAX, "%s", said && *said ? said : HPCAI500_BINDIR "/hpcai500-generate");
    if (access(path, X_OK) == 0)
        return;
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    if (n <= 0)
        return;
    self[n] = '\0';
    for (int up = 0; up < 3; up++) { /* agent/.libs/hpcai500-agent */
        char *slash = strrchr(self, '/'), beside[PATH_MAX];
        if (!slash)
            return;
        *slash = '\0';
        snprintf(beside, sizeof beside, "%s/workloads/generate/hpcai500-generate", self);
        if (access(beside, X_OK) == 0) {
            snprintf(path, PATH_MAX, "%s", beside);
            return;
        }
    }
}

int place_find(struct place *p, const struct runspec *spec, struct err *e)
{
    struct config site;

    memset(p, 0, sizeof *p);
    if (config_load(&site, NULL, 0, e))
        return -1;
    find_cache(p->cache, site.cache);
    find_generator(p->generator);
    find_drop(p->drop, site.spool);
    return find_record(p->record, spec->out, p->drop, e);
}

void place_follow(struct place *p, const struct runspec *spec, const char *of_rank_0)
{
    if (spec->out[0] || !p->drop[0] || !strstr(of_rank_0, "/jobs/"))
        snprintf(p->record, sizeof p->record, "%s", of_rank_0);
}

static int copy(int from, int to)
{
    char block[65536];
    ssize_t n;

    while ((n = read(from, block, sizeof block)) > 0)
        if (fdio_write(to, block, (size_t)n) < 0)
            return -1;
    return n < 0 ? -1 : 0;
}

static void copy_file(const struct place *p, const char *id, const char *tail)
{
    char from[2 * PATH_MAX], to[2 * PATH_MAX];

    snprintf(from, sizeof from, "%s/%s%s", p->record, id, tail);
    snprintf(to, sizeof to, "%s/%s%s", p->drop, id, tail);
    int in = open(from, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (in < 0)
        return;
    unlink(to); /* what an earlier call left, before there was more to say */
    int out = open(to, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    bool whole = out >= 0 && copy(in, out) == 0;
    if (out >= 0 && (close(out) < 0 || !whole))
        unlink(to); /* half a record is none */
    close(in);
}

void place_drop(const struct place *p, const char *id, const char *const *tails, int n)
{
    if (p->drop[0] && strcmp(p->drop, p->record) != 0)
        for (int i = 0; i < n; i++)
            copy_file(p, id, tails[i]);
}
