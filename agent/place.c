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

#include "agent/textfile.h"

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

/* `cache=` of the site's configuration. */
static void site_cache(char *cache)
{
    const char *path = getenv("HPCAI500_CONF");
    char text[16384];

    if (textfile_read(path && *path ? path : HPCAI500_SYSCONFDIR "/hpcai500.conf", text,
                      sizeof text) == 0)
        textfile_value(text, "cache", cache, PATH_MAX);
}

static void find_cache(char *cache)
{
    const char *own = getenv("HPCAI500_CACHE"), *xdg = getenv("XDG_CACHE_HOME");
    const char *home = getenv("HOME");

    cache[0] = '\0';
    if (own && *own) {
        snprintf(cache, PATH_MAX, "%s", own);
        return;
    }
    site_cache(cache);
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
    find_cache(p->cache);
    find_generator(p->generator);
    return find_record(p->record, spec->out, e);
}
