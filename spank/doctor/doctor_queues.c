/* SPDX-License-Identifier: BSD-3-Clause */
/* What grows when somebody does not take it: each queue against its bound. */
#include <config.h>

#include "spank/doctor/doctor.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "spank/relay/spool.h"

/* SQLite takes its log back at 4 MB unless a reader holds it. */
#define LOG_BYTES (256LL << 20)
#define FULL      0.9

/* Regular files of a folder but the reasons in a quarantine. */
struct content {
    long files;
    long long bytes;
    int error; /* errno, when it could not be read */
};

static struct content look_into(const char *folder)
{
    static const char reason[] = ".reason";
    struct content c = {0};
    struct dirent *row;
    struct stat st;
    DIR *d = opendir(folder);

    if (!d)
        c.error = errno;
    while (d && (row = readdir(d))) {
        size_t n = strlen(row->d_name);
        if (fstatat(dirfd(d), row->d_name, &st, AT_SYMLINK_NOFOLLOW) || !S_ISREG(st.st_mode))
            continue;
        c.files += n < sizeof reason || strcmp(row->d_name + n - (sizeof reason - 1), reason) != 0;
        c.bytes += st.st_size;
    }
    if (d)
        closedir(d);
    return c;
}

/* most 0: no bound of that kind. */
static void check_queue(struct doctor *d, const char *what, const char *folder, long most_files,
                        long long most_bytes, const char *advice)
{
    struct content c = look_into(folder);
    const double mib = 1 << 20;
    bool full = (most_files && (double)c.files > FULL * (double)most_files) ||
                (most_bytes && (double)c.bytes > FULL * (double)most_bytes);

    if (c.error == ENOENT)
        return;
    if (c.error)
        doctor_add(d, DOCTOR_UNKNOWN, "ask as root or as the service user",
                   "cannot look into %s: %s", folder, strerror(c.error));
    else if (full)
        doctor_add(d, DOCTOR_WARN, advice, "%s %s holds %ld file%s of %.1f MiB: its bound is near",
                   what, folder, c.files, c.files == 1 ? "" : "s", (double)c.bytes / mib);
    else
        doctor_add(d, DOCTOR_OK, "", "%s %s holds %ld file%s of %.1f MiB", what, folder, c.files,
                   c.files == 1 ? "" : "s", (double)c.bytes / mib);
}

static void check_log(struct doctor *d)
{
    char path[CONF_TEXT_SIZE + 8];
    struct stat st;

    snprintf(path, sizeof path, "%s-wal", d->config.history);
    if (stat(path, &st) == 0 && st.st_size > LOG_BYTES)
        doctor_add(d, DOCTOR_WARN, "end the program that reads the history: fuser shows it",
                   "the history's log %s has %.1f MiB", path, (double)st.st_size / (1 << 20));
}

void doctor_queues(struct doctor *d)
{
    char out[CONF_TEXT_SIZE + 8];
    bool sends = d->config.collector[0];

    snprintf(out, sizeof out, "%s/out", d->config.spool);
    check_queue(d, "the spool", out, sends ? SPOOL_MAX_WAITING : 0,
                sends ? (long long)d->config.spool_queue : 0,
                "start the collector: beyond spool_queue= the oldest bundle goes");
    if (d->as_node)
        return;
    check_queue(d, "the quarantine", d->config.quarantine, QUARANTINE_FILES, QUARANTINE_BYTES,
                "look at the reasons there and empty it: the oldest bundle goes next");
    check_log(d);
}
