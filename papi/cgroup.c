/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The rank's own cgroup, v1, v2 or both at once, found from /proc/self/cgroup
 * and /proc/self/mountinfo. A group without the file (its controller is off
 * there) is counted by the nearest group above that has it. In a Slurm job the
 * search ends at the job's group, which all of Slurm's plugins call job_NUMBER:
 * what is above, or where Slurm uses no groups all there is, is the node's or its
 * daemon's, with other jobs in it.
 */
#include <config.h>

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "papi/backend.h"
#include "papi/state.h"

enum { PATH = 384 };

/* Per counter in order of preference; controller NULL: v2. */
static const struct way {
    int counter;
    const char *controller;
    const char *file;
    struct pick pick;
    double scale;
} ways[] = {
    {COUNTER_cgroup_cpu_seconds, "cpuacct", "cpuacct.usage", {0}, 1e-9},
    {COUNTER_cgroup_cpu_seconds, NULL, "cpu.stat", {"usage_usec", 0, PICK_FIRST}, 1e-6},
    {COUNTER_cgroup_throttled_seconds, "cpu", "cpu.stat", {"throttled_time", 0, PICK_FIRST}, 1e-9},
    {COUNTER_cgroup_throttled_seconds, NULL, "cpu.stat", {"throttled_usec", 0, PICK_FIRST}, 1e-6},
    {COUNTER_cgroup_throttled_periods, "cpu", "cpu.stat", {"nr_throttled", 0, PICK_FIRST}, 1},
    {COUNTER_cgroup_throttled_periods, NULL, "cpu.stat", {"nr_throttled", 0, PICK_FIRST}, 1},
    {COUNTER_cgroup_memory_peak_bytes, "memory", "memory.max_usage_in_bytes", {0}, 1},
    {COUNTER_cgroup_memory_peak_bytes, NULL, "memory.peak", {0}, 1},
    {COUNTER_cgroup_memory_limit_hits, "memory", "memory.failcnt", {0}, 1},
    {COUNTER_cgroup_memory_limit_hits, NULL, "memory.events", {"max", 0, PICK_FIRST}, 1},
    /* v1: no line of a device means that the kernel does not account here. */
    {COUNTER_cgroup_read_bytes,
     "blkio",
     "blkio.throttle.io_service_bytes_recursive",
     {"Read", 0, PICK_SUM},
     1},
    {COUNTER_cgroup_read_bytes, NULL, "io.stat", {"rbytes", 0, PICK_SUM0}, 1},
    {COUNTER_cgroup_write_bytes,
     "blkio",
     "blkio.throttle.io_service_bytes_recursive",
     {"Write", 0, PICK_SUM},
     1},
    {COUNTER_cgroup_write_bytes, NULL, "io.stat", {"wbytes", 0, PICK_SUM0}, 1},
};

enum { WAYS = sizeof(ways) / sizeof(*ways) };

/* Whether the comma-separated list has the word. */
static bool listed(const char *list, size_t len, const char *word)
{
    size_t k = strlen(word);

    for (const char *p = list; p + k <= list + len; p++) {
        if (memcmp(p, word, k) == 0 && (p == list || p[-1] == ',') &&
            (p + k == list + len || p[k] == ','))
            return true;
    }
    return false;
}

/* Path of the process's group in the hierarchy of that controller (NULL: v2),
 * from lines "ID:controllers:path". */
static bool own_path(const char *text, const char *controller, char *path)
{
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *list = strchr(line, ':'), *colon = list ? strchr(list + 1, ':') : NULL;
        size_t len;

        if (!colon)
            continue;
        len = (size_t)(colon - list) - 1;
        if (controller ? listed(list + 1, len, controller) : len == 0) {
            snprintf(path, PATH, "%.*s", (int)strcspn(colon + 1, "\n"), colon + 1);
            return true;
        }
    }
    return false;
}

/* Mount point and root of that hierarchy, from lines
 * "id parent dev root mount-point options [optional]... - type source super". */
static bool own_mount(const char *text, const char *controller, char *root, char *point)
{
    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        char copy[2 * PATH + 1024], type[32], super[512];
        const char *dash;

        snprintf(copy, sizeof(copy), "%.*s", (int)strcspn(line, "\n"), line);
        dash = strstr(copy, " - ");
        if (!dash || sscanf(dash, " - %31s %*s %511s", type, super) != 2 ||
            sscanf(copy, "%*s %*s %*s %383s %383s", root, point) != 2)
            continue;
        if (controller ? strcmp(type, "cgroup") == 0 && listed(super, strlen(super), controller)
                       : strcmp(type, "cgroup2") == 0)
            return true;
    }
    return false;
}

/* The group's folder: what of its path lies below the root of the mount, below
 * the mount point. In a container the mount may begin at the group itself. */
static bool own_folder(const char *groups, const char *mounts, const char *controller, char *dir,
                       size_t *mount_len)
{
    char path[PATH], root[PATH], point[PATH];
    const char *below = path;
    size_t len;

    if (!own_path(groups, controller, path) || !own_mount(mounts, controller, root, point))
        return false;
    len = strcmp(root, "/") == 0 ? 0 : strlen(root);
    if (strncmp(path, root, len) == 0 && (path[len] == '/' || path[len] == '\0'))
        below = path + len;
    else
        below = ""; /* outside of what is mounted: its top is the nearest seen */
    *mount_len = strlen(point);
    return snprintf(dir, PATH, "%s%s", point, strcmp(below, "/") == 0 ? "" : below) < PATH &&
           !strstr(dir, "/../");
}

/* The file in the folder or the nearest one above, up to that whose path has
 * top characters. */
static bool nearest(struct counters *c, const struct way *w, char *dir, size_t top, char *path,
                    char *why)
{
    for (bool first = true;; first = false) {
        char here[REASON_BYTES];
        char *slash;

        snprintf(path, PATH + 64, "%s/%s", dir, w->file);
        if (can_pick(c, path, w->pick, here))
            return true;
        if (first)
            snprintf(why, REASON_BYTES, "%s", here);
        slash = strrchr(dir, '/');
        if (!slash || (size_t)(slash - dir) < top)
            return false;
        *slash = '\0';
    }
}

/* The folder itself is the domain: two containers may both call theirs "/". */
static void tell(struct counters *c, int counter, const char *dir, const char *path)
{
    char full[512], id[64];
    struct stat st;

    root_path(c, full, sizeof(full), dir);
    if (stat(full, &st) == 0) {
        snprintf(id, sizeof(id), "%jx:%jx", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
        counter_domain(c, counter, id);
    }
    counter_from(c, counter, "%s", path);
}

/* Length of the path down to a job's group; 0 when the path has no job. */
static size_t job_length(const char *dir)
{
    static const char head[] = "/job_";

    for (const char *p = dir; (p = strstr(p, head)); p++) {
        const char *end = p + sizeof(head) - 1;
        while (isdigit((unsigned char)*end))
            end++;
        if (end > p + sizeof(head) - 1 && (*end == '/' || *end == '\0'))
            return (size_t)(end - dir);
    }
    return 0;
}

static int try_way(struct counters *c, const struct way *w, const char *groups, const char *mounts)
{
    struct source s = {.counter = w->counter, .scale = w->scale};
    char dir[PATH], path[PATH + 64], why[REASON_BYTES];
    size_t top;

    if (counter_has_source(c, w->counter) || !own_folder(groups, mounts, w->controller, dir, &top))
        return 0;
    if (c->in_job && (top = job_length(dir)) == 0) {
        counter_off(c, w->counter, "%s is not the control group of a job", dir);
        return 0;
    }
    if (!nearest(c, w, dir, top, path, why)) {
        counter_off(c, w->counter, "%s", why);
        return 0;
    }
    if (source_file(c, &s, path, w->pick) < 0)
        return -1;
    tell(c, w->counter, dir, path);
    return 0;
}

static int probe(struct counters *c)
{
    char *groups = malloc(FILE_BYTES), *mounts = malloc(FILE_BYTES);
    int r = groups && mounts ? 0 : -1;

    if (r == 0 && (read_small(c, "/proc/self/cgroup", groups, FILE_BYTES) < 0 ||
                   read_small(c, "/proc/self/mountinfo", mounts, FILE_BYTES) < 0))
        backend_off(c, "cgroup", "/proc/self/cgroup or mountinfo cannot be read");
    else
        for (int i = 0; i < WAYS && r == 0; i++)
            r = try_way(c, &ways[i], groups, mounts);
    free(groups);
    free(mounts);
    if (r == 0)
        backend_off(c, "cgroup", "the process is in no mounted cgroup that has it");
    return r;
}

const struct backend backend_cgroup = {.name = "cgroup", .bit = BACKEND_CGROUP, .probe = probe};
