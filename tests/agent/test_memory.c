/* SPDX-License-Identifier: BSD-3-Clause */
/* Limits of memory: trees of files as kernels with control groups v1 and v2 show
 * them, Slurm's words, and this machine. */
#include <config.h>

#include <errno.h>
#include <ftw.h>
#include <limits.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "agent/memory.h"
#include "tests/unit.h"

static char root[] = "/tmp/hpcai500-memory.XXXXXX";

static const char *const variables[] = {"SLURM_MEM_PER_NODE", "SLURM_MEM_PER_CPU",
                                        "SLURM_CPUS_ON_NODE", "SLURM_MEM_PER_GPU",
                                        "SLURM_GPUS_ON_NODE"};

static int remove_one(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
    (void)st, (void)flag, (void)ftw;
    return remove(path);
}

static void put(const char *file, const char *text)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s%s", root, file);
    for (char *slash = path + 1; (slash = strchr(slash, '/')); slash++) {
        *slash = '\0';
        if (mkdir(path, 0700) < 0)
            assert_int_equal(errno, EEXIST);
        *slash = '/';
    }
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static int fresh(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof variables / sizeof *variables; i++)
        unsetenv(variables[i]);
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return mkdir(root, 0700);
}

struct tree {
    const char *name;
    struct {
        const char *file, *text;
    } files[8];
    double bytes;
    const char *source;
};

#define MEMINFO                                                                                    \
    {                                                                                              \
        "/proc/meminfo", "MemTotal: 16 kB\nMemAvailable:    4194304 kB\nSwapTotal: 0 kB\n"         \
    }

static void trees(void **state)
{
    static const double mib = 1048576;
    static const struct tree rows[] = {
        {"nothing", {{NULL, NULL}}, 0, ""},
        {"free", {MEMINFO}, 4294967296.0, "memory that is free on the node"},
        {"v2",
         {MEMINFO,
          {"/proc/self/cgroup", "0::/system.slice/job_7/step_0/user/task_0\n"},
          {"/sys/fs/cgroup/system.slice/job_7/step_0/user/task_0/memory.max", "max\n"},
          {"/sys/fs/cgroup/system.slice/job_7/step_0/memory.max", "734003200\n"},
          {"/sys/fs/cgroup/system.slice/job_7/memory.max", "1073741824\n"}},
         700 * mib,
         "memory.max of control group /system.slice/job_7/step_0"},
        {"v2, the least is at the top",
         {MEMINFO,
          {"/proc/self/cgroup", "0::/a/b\n"},
          {"/sys/fs/cgroup/a/b/memory.max", "734003200\n"},
          {"/sys/fs/cgroup/a/memory.max", "524288000\n"},
          {"/sys/fs/cgroup/a/b/memory.high", "max\n"}},
         500 * mib,
         "memory.max of control group /a"},
        {"v2, its throttle",
         {{"/proc/self/cgroup", "0::/a\n"},
          {"/sys/fs/cgroup/a/memory.max", "734003200\n"},
          {"/sys/fs/cgroup/a/memory.high", "314572800\n"}},
         300 * mib,
         "memory.high of control group /a"},
        {"v2 in a container: its root is the limit",
         {{"/proc/self/cgroup", "0::/\n"}, {"/sys/fs/cgroup/memory.max", "209715200\n"}},
         200 * mib,
         "memory.max of control group /"},
        {"v1, nested, other controllers in its line, no limit at the top",
         {MEMINFO,
          {"/proc/self/cgroup",
           "12:cpuset:/x\n5:hugetlb,memory:/slurm/uid_1/job_7/step_0\n0::/y\n"},
          {"/sys/fs/cgroup/memory/slurm/uid_1/job_7/step_0/memory.limit_in_bytes",
           "9223372036854771712\n"},
          {"/sys/fs/cgroup/memory/slurm/uid_1/job_7/memory.limit_in_bytes", "104857600\n"},
          {"/sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n"},
          {"/sys/fs/cgroup/cpuset/x/memory.limit_in_bytes", "1\n"}},
         100 * mib,
         "memory.limit_in_bytes of control group /slurm/uid_1/job_7"},
        {"hybrid: v2 beside v1",
         {{"/proc/self/cgroup", "3:memory:/a\n0::/b\n"},
          {"/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "314572800\n"},
          {"/sys/fs/cgroup/unified/b/memory.max", "209715200\n"}},
         200 * mib,
         "memory.max of control group /b"},
        {"a name that only begins like the controller's",
         {{"/proc/self/cgroup", "3:memoryx:/a\n"},
          {"/sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1\n"}},
         0,
         ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        fresh(state);
        for (int k = 0; k < 8 && rows[i].files[k].file; k++)
            put(rows[i].files[k].file, rows[i].files[k].text);
        struct memory_limit l = memory_of_node(root);
        if (l.bytes != rows[i].bytes || strcmp(l.source, rows[i].source) != 0)
            fail_msg("%s: %.0f by '%s', expected %.0f by '%s'", rows[i].name, l.bytes, l.source,
                     rows[i].bytes, rows[i].source);
    }
}

static void of_slurm(void **state)
{
    static const struct {
        const char *node, *cpu, *cpus, *gpu, *gpus;
        double mib;
        const char *source;
    } rows[] = {
        {"500", NULL, NULL, NULL, NULL, 500, "Slurm's --mem"},
        {"0", NULL, NULL, NULL, NULL, 0, ""},
        {NULL, "100", "4", NULL, NULL, 400, "Slurm's --mem-per-cpu"},
        {"500", "100", "4", NULL, NULL, 400, "Slurm's --mem-per-cpu"},
        {"300", "100", "4", NULL, NULL, 300, "Slurm's --mem"},
        {NULL, "100", NULL, NULL, NULL, 0, ""},
        {NULL, NULL, NULL, "200", "2", 400, "Slurm's --mem-per-gpu"},
        {"many", NULL, NULL, NULL, NULL, 0, ""},
    };

    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const values[] = {rows[i].node, rows[i].cpu, rows[i].cpus, rows[i].gpu,
                                      rows[i].gpus};
        fresh(state);
        for (size_t k = 0; k < sizeof variables / sizeof *variables; k++)
            if (values[k])
                setenv(variables[k], values[k], 1);
        struct memory_limit l = memory_of_node(root);
        if (l.bytes != rows[i].mib * 1048576 || strcmp(l.source, rows[i].source) != 0)
            fail_msg("row %zu: %.0f by '%s', expected %.0f MiB by '%s'", i, l.bytes, l.source,
                     rows[i].mib, rows[i].source);
    }
}

static void of_a_rank(void **state)
{
    (void)state;
    put("/proc/meminfo", "MemAvailable:    4194304 kB\n");
    struct memory_limit l = memory_of_rank(root, 4);
    assert_float_equal(l.bytes, 1073741824.0, 0);
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {1 << 29, 1 << 29};
        setrlimit(RLIMIT_AS, &limit);
        l = memory_of_rank(root, 4);
        _exit(l.bytes != 1 << 29 || strcmp(l.source, "ulimit -v") != 0);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* A control group of this machine, where root may make one. */
static void of_this_machine(void **state)
{
    static const struct {
        const char *folder, *file;
    } rows[] = {{"/sys/fs/cgroup", "memory.max"},
                {"/sys/fs/cgroup/memory", "memory.limit_in_bytes"}};
    bool tried = false;

    fresh(state);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char group[128], path[192];
        snprintf(group, sizeof group, "%s/hpcai500-test-%ld", rows[i].folder, (long)getpid());
        if (mkdir(group, 0755) < 0)
            continue;
        snprintf(path, sizeof path, "%s/%s", group, rows[i].file);
        FILE *limit = fopen(path, "r+");
        int wrong = 0;
        bool set = limit && fputs("134217728", limit) >= 0 && fclose(limit) == 0;
        pid_t child = set ? fork() : -1;
        if (child == 0) {
            snprintf(path, sizeof path, "%s/cgroup.procs", group);
            FILE *f = fopen(path, "w");
            if (!f || fprintf(f, "0") < 0 || fclose(f) != 0)
                _exit(2);
            struct memory_limit l = memory_of_node("");
            _exit(l.bytes != 134217728 || !strstr(l.source, rows[i].file));
        }
        if (child > 0)
            waitpid(child, &wrong, 0);
        rmdir(group);
        if (child > 0 && WEXITSTATUS(wrong) != 2) {
            assert_int_equal(wrong, 0);
            tried = true;
        }
    }
    if (!tried)
        skip();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(trees, fresh),
        cmocka_unit_test_setup(of_slurm, fresh),
        cmocka_unit_test_setup(of_a_rank, fresh),
        cmocka_unit_test_setup(of_this_machine, fresh),
    };

    if (!mkdtemp(root))
        return 1;
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    return rc;
}
