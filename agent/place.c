/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/place.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/conf.h"

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

/* What out= names. */
enum out { OUT_UNSET, OUT_NONE, OUT_FILE, OUT_FOLDER };

static enum out kind_of(const char *out)
{
    size_t n = strlen(out), end = strlen(".json");

    if (n == 0)
        return OUT_UNSET;
    if (strcmp(out, "none") == 0)
        return OUT_NONE;
    return n > end && strcmp(out + n - end, ".json") == 0 ? OUT_FILE : OUT_FOLDER;
}

static int find_folder(char *dir, const char *out, struct err *e)
{
    if (mkdir(out, 0777) < 0 && errno != EEXIST)
        return err_set(e, "cannot make the folder out=%s: %s", out, strerror(errno));
    if (!realpath(out, dir))
        return err_set(e, "cannot open the folder out=%s: %s", out, strerror(errno));
    return writable(dir) ? 0 : err_set(e, "out=%s cannot be written: %s", out, strerror(errno));
}

/* file: out= from the root on; dir: its folder. */
static int find_file(char *file, char *dir, const char *out, struct err *e)
{
    const char *slash = strrchr(out, '/'), *name = slash ? slash + 1 : out;
    char parent[PATH_MAX];
    struct stat st;

    snprintf(parent, sizeof parent, "%.*s", slash ? (int)(slash - out) + 1 : 1, slash ? out : ".");
    if (!realpath(parent, dir))
        return err_set(e, "cannot open the folder of out=%s: %s", out, strerror(errno));
    if (snprintf(file, PATH_MAX, "%s/%s", dir, name) >= PATH_MAX)
        return err_set(e, "out=%s is too long a path", out);
    if (lstat(file, &st) == 0)
        return S_ISDIR(st.st_mode)
                   ? err_set(e, "out=%s is a folder; a name that ends in .json is a file", out)
                   : err_set(e, "out=%s exists already and is not replaced; choose another name",
                             out);
    return writable(dir) ? 0 : err_set(e, "out=%s cannot be written: %s", out, strerror(errno));
}

static int find_record(struct place *p, const char *out, struct err *e)
{
    enum out kind = kind_of(out);

    if (kind == OUT_FOLDER)
        return find_folder(p->record, out, e);
    if (kind == OUT_FILE && find_file(p->file, p->record, out, e) < 0)
        return -1;
    if (p->drop[0] && realpath(p->drop, p->record)) {
        if (kind == OUT_UNSET && !getcwd(p->copy, sizeof p->copy))
            snprintf(p->copy, sizeof p->copy, "."); /* place_user() says that it is gone */
        return 0;
    }
    if (kind == OUT_FILE)
        return 0;
    if (!getcwd(p->record, sizeof p->record))
        return err_set(e, "cannot find the working folder: %s", strerror(errno));
    return writable(p->record)
               ? 0
               : err_set(e, "the working folder %s cannot be written; give out=FOLDER", p->record);
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
static void find_program(char *path, const char *variable, const char *installed, const char *built)
{
    const char *said = getenv(variable);
    char self[PATH_MAX - 64];

    snprintf(path, PATH_MAX, "%s", said && *said ? said : installed);
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
        snprintf(beside, sizeof beside, "%s/%s", self, built);
        if (access(beside, X_OK) == 0) {
            snprintf(path, PATH_MAX, "%s", beside);
            return;
        }
    }
}

int place_find(struct place *p, const struct runspec *spec, struct err *e)
{
    struct conf site;

    memset(p, 0, sizeof *p);
    if (conf_load(&site, NULL, 0, e))
        return -1;
    find_cache(p->cache, site.cache);
    snprintf(p->energy, sizeof p->energy, "%s", site.energy);
    find_program(p->generator, "HPCAI500_GENERATOR", HPCAI500_BINDIR "/hpcai500-generate",
                 "workloads/generate/hpcai500-generate");
    find_program(p->node_program, "HPCAI500_NODE_PROGRAM", HPCAI500_LIBEXECDIR "/hpcai500-node",
                 "agent/node/hpcai500-node");
    find_drop(p->drop, site.spool);
    return find_record(p, spec->out, e);
}

void place_follow(struct place *p, const struct runspec *spec, const char *of_rank_0)
{
    if (kind_of(spec->out) == OUT_FOLDER || !p->drop[0] || !strstr(of_rank_0, "/jobs/"))
        snprintf(p->record, sizeof p->record, "%s", of_rank_0);
}
