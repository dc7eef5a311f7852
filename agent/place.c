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

#include "reports/config.h"

static bool writable(const char *dir)
{
    return access(dir, W_OK | X_OK) == 0;
}

static int find_record(char *dir, const char *out, struct err *e)
{
    const char *spool = getenv("HPCAI500_SPOOL");

    if (out[0]) {
        if (mkdir(out, 0777) < 0 && errno != EEXIST)
            return err_set(e, "cannot make the folder out=%s: %s", out, strerror(errno));
        if (!realpath(out, dir))
            return err_set(e, "there is no folder out=%s: %s", out, strerror(errno));
        return writable(dir) ? 0 : err_set(e, "out=%s cannot be written: %s", out, strerror(errno));
    }
    if (spool && *spool && writable(spool) && realpath(spool, dir))
        return 0;
    if (!getcwd(dir, PATH_MAX))
        return err_set(e, "there is no working folder: %s", strerror(errno));
    return writable(dir)
               ? 0
               : err_set(e, "the working folder %s cannot be written; say out=FOLDER", dir);
}

/* $HPCAI500_CACHE, the site's cache= (config.h knows both), the user's own. */
static int find_cache(char *cache, struct err *e)
{
    const char *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    struct config site;

    if (config_load(&site, NULL, 0, e))
        return -1;
    snprintf(cache, PATH_MAX, "%s", site.cache);
    if (cache[0])
        return 0;
    if (!home || !*home) {
        struct passwd *pw = getpwuid(getuid());
        home = pw ? pw->pw_dir : "/tmp";
    }
    if (xdg && *xdg)
        snprintf(cache, PATH_MAX, "%s/hpcai500", xdg);
    else
        snprintf(cache, PATH_MAX, "%s/.cache/hpcai500", home);
    return 0;
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
        snprintf(beside, sizeof beside, "%s/workloads/data/hpcai500-generate", self);
        if (access(beside, X_OK) == 0) {
            snprintf(path, PATH_MAX, "%s", beside);
            return;
        }
    }
}

int place_find(struct place *p, const struct runspec *spec, struct err *e)
{
    memset(p, 0, sizeof *p);
    if (find_cache(p->cache, e))
        return -1;
    find_generator(p->generator);
    return find_record(p->record, spec->out, e);
}
