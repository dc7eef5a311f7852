/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/system.h"

#include <gnu/libc-version.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>

#include "agent/environment.h"
#include "agent/system_parts.h"
#include "agent/textfile.h"
#include "build_id.h"

enum { TEXT = RECORD_TEXT_SIZE };

/* ---- operating system ---- */

static void distribution(struct record_fact *f)
{
    char text[4096], value[TEXT];

    textfile_read("/etc/os-release", text, sizeof text);
    if (textfile_value(text, "PRETTY_NAME", value, sizeof value) < 0) {
        record_fact_unknown(f, "there is no /etc/os-release");
        return;
    }
    value[strcspn(value + 1, "\"") + 1] = '\0';
    record_fact_text(f, value[0] == '"' ? value + 1 : value);
}

/* Vulnerabilities that cost speed to mitigate, and those that are not. */
static void mitigations(struct record_fact *f)
{
    static const char *const names[] = {"meltdown", "spectre_v1", "spectre_v2",        "l1tf",
                                        "mds",      "retbleed",   "spec_store_bypass", "srbds"};
    char path[128], state[128], text[TEXT] = "";
    size_t at = 0;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        snprintf(path, sizeof path, "/sys/devices/system/cpu/vulnerabilities/%s", names[i]);
        if (textfile_read(path, state, sizeof state) < 0 || strncmp(state, "Not", 3) == 0)
            continue;
        state[strcspn(state, ":;")] = '\0';
        if (at < sizeof text)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s %s", at ? ", " : "", names[i],
                                   state);
    }
    record_fact_text(f, at ? text : "none needed");
}

/* The word in brackets. */
static void huge_pages(struct record_fact *f)
{
    char text[128];

    textfile_read("/sys/kernel/mm/transparent_hugepage/enabled", text, sizeof text);
    char *word = strchr(text, '[');
    if (!word) {
        record_fact_unknown(f, "the kernel has none");
        return;
    }
    word[strcspn(word, "]")] = '\0';
    record_fact_text(f, word + 1);
}

static void file_system(struct record_fact *f, const char *path)
{
    static const struct {
        unsigned long magic;
        const char *name;
    } rows[] = {
        {0xEF53, "ext4"},      {0x58465342, "xfs"},    {0x9123683E, "btrfs"},
        {0x01021994, "tmpfs"}, {0x6969, "nfs"},        {0x0BD00BD0, "lustre"},
        {0x47504653, "gpfs"},  {0x19830326, "beegfs"}, {0x794C7630, "overlay"},
        {0x65735546, "fuse"},  {0x2FC12FC1, "zfs"},    {0xFF534D42, "cifs"},
        {0x01021997, "9p"},    {0x00C36400, "ceph"},
    };
    struct statfs s;
    char parent[PATH_MAX], text[32];

    if (!path || !path[0]) {
        record_fact_unknown(f, "no folder is used");
        return;
    }
    snprintf(parent, sizeof parent, "%s", path);
    while (statfs(parent, &s) != 0) {
        char *slash = strrchr(parent, '/');
        if (!slash || slash == parent) {
            record_fact_unknown(f, "the file system of the folder cannot be read");
            return;
        }
        *slash = '\0';
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].magic == (unsigned long)s.f_type) {
            record_fact_text(f, rows[i].name);
            return;
        }
    snprintf(text, sizeof text, "0x%lx", (unsigned long)s.f_type);
    record_fact_text(f, text);
}

static void operating_system(struct record_fact *facts, const struct system_told *told)
{
    struct utsname u;
    char text[TEXT];
    struct stat v2, v1;

    distribution(&facts[FACT_operating_system_distribution]);
    if (uname(&u) == 0)
        record_fact_text(&facts[FACT_operating_system_kernel], u.release);
    snprintf(text, sizeof text, "glibc %s", gnu_get_libc_version());
    record_fact_text(&facts[FACT_operating_system_libc], text);
    mitigations(&facts[FACT_operating_system_mitigations]);
    huge_pages(&facts[FACT_operating_system_transparent_huge_pages]);
    if (textfile_read("/proc/sys/kernel/perf_event_paranoid", text, sizeof text) == 0)
        record_fact_number(&facts[FACT_operating_system_perf_event_paranoid], atof(text));
    else
        record_fact_unknown(&facts[FACT_operating_system_perf_event_paranoid],
                            "the kernel has no perf events");
    bool unified = stat("/sys/fs/cgroup/cgroup.controllers", &v2) == 0;
    bool memory_v1 = stat("/sys/fs/cgroup/memory", &v1) == 0;
    record_fact_text(&facts[FACT_operating_system_cgroup_version],
                     unified                                    ? "v2"
                     : stat("/sys/fs/cgroup/unified", &v2) == 0 ? "hybrid"
                     : memory_v1                                ? "v1"
                                                                : "none");
    file_system(&facts[FACT_operating_system_data_file_system], told->data_dir);
    file_system(&facts[FACT_operating_system_out_file_system], told->out_dir);
    const char *slurm = getenv("SLURM_JOB_ID") ? getenv("SLURM_VERSION") : NULL;
    if (slurm)
        record_fact_text(&facts[FACT_operating_system_slurm], slurm);
    else
        record_fact_unknown(&facts[FACT_operating_system_slurm],
                            getenv("SLURM_JOB_ID") ? "Slurm's environment does not say its release"
                                                   : "not started by Slurm");
}

/* ---- what was built and how it is used ---- */

static const char *instruction_set(void)
{
#if defined(__x86_64__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f"))
        return __builtin_cpu_supports("avx512bf16") ? "AVX-512 with bfloat16" : "AVX-512";
    if (__builtin_cpu_supports("avx2"))
        return "AVX2";
    return "SSE2";
#elif defined(__aarch64__)
    return "NEON or wider";
#else
    return "";
#endif
}

/* oneDNN's own answer, and what the kernels of this engine go by. */
static void used_instructions(struct record_fact *f)
{
    char text[TEXT], isa[64];

    if (system_onednn_isa(isa, sizeof isa))
        snprintf(text, sizeof text, "oneDNN %s, own kernels %s", isa, instruction_set());
    else
        snprintf(text, sizeof text, "%s", instruction_set());
    record_fact_text(f, text);
}

static void implementation(struct record_fact *facts)
{
    record_fact_text(&facts[FACT_implementation_build_id], HPCAI500_BUILD_ID);
#ifdef __clang__
    record_fact_text(&facts[FACT_implementation_compiler], __VERSION__);
#else
    record_fact_text(&facts[FACT_implementation_compiler], "gcc " __VERSION__);
#endif
#ifdef HPCAI500_CFLAGS
    record_fact_text(&facts[FACT_implementation_compiler_flags], HPCAI500_CFLAGS);
#endif
    used_instructions(&facts[FACT_implementation_instruction_set]);
    record_fact_unknown(&facts[FACT_implementation_kernels],
                        "the back end does not say which implementations it chose");
}

static void programming_model(struct record_fact *facts, const struct system_told *told)
{
    record_fact_text(&facts[FACT_programming_model_parallelism],
                     told->ranks > 1 ? "data parallel" : "one rank");
    record_fact_number(&facts[FACT_programming_model_ranks], told->ranks);
    record_fact_number(&facts[FACT_programming_model_ranks_per_node], told->ranks_per_node);
    record_fact_number(&facts[FACT_programming_model_threads_per_rank], told->threads);
    record_fact_text(&facts[FACT_programming_model_binding], told->processors);
    record_fact_text(&facts[FACT_programming_model_dtype], told->dtype);
}

void system_facts(struct record_fact facts[FACT_COUNT], const struct system_told *told)
{
    for (int i = 0; i < FACT_COUNT; i++)
        record_fact_unknown(&facts[i], "the agent could not find it");
    operating_system(facts, told);
    system_communication(facts, told);
    system_libraries(facts);
    environment_facts(facts);
    record_fact_text(&facts[FACT_framework_name], "hpcai500");
    record_fact_text(&facts[FACT_framework_version], PACKAGE_VERSION);
    record_fact_text(&facts[FACT_framework_engine], told->engine);
    programming_model(facts, told);
    implementation(facts);
}
