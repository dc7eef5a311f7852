/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "spank/witness/cgroup.h"

#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* One number of one file. */
struct source {
    const char *file, *key; /* key NULL: the file is the number */
    size_t offset;          /* of the double in struct witness */
    double scale;
};

enum { MICRO = 1000000 };

#define INTO(member) offsetof(struct witness, member)

/* v1 has a tree for each controller, v2 (NULL) has one. */
static const struct group {
    const char *controller;
    struct source sources[5];
} groups[] = {
    {NULL,
     {{"cpu.stat", "user_usec", INTO(cpu_user_seconds), 1.0 / MICRO},
      {"cpu.stat", "system_usec", INTO(cpu_system_seconds), 1.0 / MICRO},
      {"memory.peak", NULL, INTO(memory_peak_bytes), 1},
      {"io.stat", "rbytes=", INTO(read_bytes), 1},
      {"io.stat", "wbytes=", INTO(write_bytes), 1}}},
    {"cpuacct", /* ticks of 1/100 s */
     {{"cpuacct.stat", "user", INTO(cpu_user_seconds), 0.01},
      {"cpuacct.stat", "system", INTO(cpu_system_seconds), 0.01}}},
    {"memory", {{"memory.max_usage_in_bytes", NULL, INTO(memory_peak_bytes), 1}}},
    {"blkio",
     {{"blkio.throttle.io_service_bytes_recursive", "Read", INTO(read_bytes), 1},
      {"blkio.throttle.io_service_bytes_recursive", "Write", INTO(write_bytes), 1}}},
};

enum { N_GROUPS = sizeof groups / sizeof *groups };

/* Sum of the numbers behind the key in all lines of the file (io.stat and
 * blkio have a line for each device); NAN when there is none. */
static double number_in(char *text, const char *key)
{
    double sum = NAN;
    size_t n = key ? strlen(key) : 0;

    for (char *save, *word = strtok_r(text, " \n", &save); word;
         word = strtok_r(NULL, " \n", &save)) {
        char *end, *value = word;
        if (key && strncmp(word, key, n) != 0)
            continue;
        if (key && key[n - 1] == '=')
            value = word + n;
        else if (key && (word[n] || !(value = strtok_r(NULL, " \n", &save))))
            continue;
        double v = strtod(value, &end);
        if (end != value && *end == '\0' && isfinite(v))
            sum = (isnan(sum) ? 0 : sum) + v;
        if (!key)
            break;
    }
    return sum;
}

static void read_source(struct witness *w, const char *folder, const struct source *s)
{
    char path[PATH_MAX], text[8192];
    double *into = (double *)((char *)w + s->offset);

    snprintf(path, sizeof path, "%s/%s", folder, s->file);
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n <= 0)
        return;
    text[n] = '\0';
    *into = number_in(text, s->key) * s->scale;
}

/* Whether the group is there. */
static int read_group(struct witness *w, const char *root, const struct group *g)
{
    char pattern[PATH_MAX];
    glob_t found;

    if (g->controller)
        snprintf(pattern, sizeof pattern, "%s/%s/slurm*/uid_%ld/job_%ld", root, g->controller,
                 w->uid, w->job);
    else
        snprintf(pattern, sizeof pattern, "%s/system.slice/*slurmstepd.scope/job_%ld", root,
                 w->job);
    if (glob(pattern, GLOB_NOSORT, NULL, &found))
        return 0;
    int there = found.gl_pathc == 1;
    for (int i = 0; there && i < 5 && g->sources[i].file; i++)
        read_source(w, found.gl_pathv[0], &g->sources[i]);
    globfree(&found);
    return there;
}

void cgroup_read(struct witness *w, const char *root)
{
    int there = 0;

    for (int i = 0; i < N_GROUPS; i++)
        there += read_group(w, root ? root : "/sys/fs/cgroup", &groups[i]);
    if (!there)
        snprintf(w->cgroup_reason, sizeof w->cgroup_reason,
                 "the job's control group was not there any more");
    else if (isnan(w->cpu_user_seconds) || isnan(w->memory_peak_bytes) || isnan(w->read_bytes))
        snprintf(w->cgroup_reason, sizeof w->cgroup_reason,
                 "this kernel or this site does not count all of it");
}
