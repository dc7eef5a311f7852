/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/system.h"

#include <dlfcn.h>
#include <gnu/libc-version.h>
#include <limits.h>
#include <link.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/utsname.h>
#include <unistd.h>
#ifdef HAVE_HWLOC
#include <hwloc.h>
#endif

#include "agent/textfile.h"
#include "build_id.h"

enum { TEXT = RECORD_TEXT_SIZE };

/* ---- inventory ---- */

static void from_file(struct record_fact *f, const char *path, const char *reason)
{
    char text[TEXT];

    if (textfile_read(path, text, sizeof text) == 0 && text[0])
        record_fact_text(f, text);
    else
        record_fact_unknown(f, reason);
}

static void from_cpuinfo(struct record_fact *inventory)
{
    static const struct {
        enum record_inventory_id id;
        const char *key;
    } rows[] = {
        {INVENTORY_cpu_model, "model name"},
        {INVENTORY_microcode, "microcode"},
    };
    char text[8192], value[TEXT];

    textfile_read("/proc/cpuinfo", text, sizeof text);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (textfile_value(text, rows[i].key, value, sizeof value) == 0)
            record_fact_text(&inventory[rows[i].id], value);
        else
            record_fact_unknown(&inventory[rows[i].id], "/proc/cpuinfo does not say");
    if (strstr(text, " hypervisor"))
        from_file(&inventory[INVENTORY_virtual_machine], "/sys/hypervisor/type", "");
    else
        record_fact_text(&inventory[INVENTORY_virtual_machine], "none");
    if (inventory[INVENTORY_virtual_machine].state == FACT_UNKNOWN)
        record_fact_text(&inventory[INVENTORY_virtual_machine], "yes");
}

#ifdef HAVE_HWLOC
static void count_objects(hwloc_topology_t t, struct record_fact *inventory)
{
    static const struct {
        enum record_inventory_id id;
        hwloc_obj_type_t type;
    } rows[] = {
        {INVENTORY_sockets, HWLOC_OBJ_PACKAGE},
        {INVENTORY_cores, HWLOC_OBJ_CORE},
        {INVENTORY_hardware_threads, HWLOC_OBJ_PU},
        {INVENTORY_numa_nodes, HWLOC_OBJ_NUMANODE},
    };
    double l3 = 0;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int n = hwloc_get_nbobjs_by_type(t, rows[i].type);
        if (n > 0)
            record_fact_number(&inventory[rows[i].id], n);
    }
    for (hwloc_obj_t o = NULL; (o = hwloc_get_next_obj_by_type(t, HWLOC_OBJ_L3CACHE, o));)
        l3 += (double)o->attr->cache.size;
    if (l3 > 0)
        record_fact_number(&inventory[INVENTORY_l3_bytes], l3);
}

static void topology(struct record_fact *inventory)
{
    hwloc_topology_t t;

    if (hwloc_topology_init(&t) != 0)
        return;
    /* The machine, not the part that this job may use. */
    hwloc_topology_set_flags(t, HWLOC_TOPOLOGY_FLAG_INCLUDE_DISALLOWED);
    if (hwloc_topology_load(t) == 0)
        count_objects(t, inventory);
    hwloc_topology_destroy(t);
}
#else
static void topology(struct record_fact *inventory)
{
    record_fact_number(&inventory[INVENTORY_hardware_threads],
                       (double)sysconf(_SC_NPROCESSORS_CONF));
}
#endif

static void memory(struct record_fact *inventory)
{
    char text[4096], value[64];

    textfile_read("/proc/meminfo", text, sizeof text);
    if (textfile_value(text, "MemTotal", value, sizeof value) == 0)
        record_fact_number(&inventory[INVENTORY_memory_bytes], atof(value) * 1024);
}

static void board(struct record_fact *f)
{
    char vendor[64], name[64], text[TEXT];

    textfile_read("/sys/class/dmi/id/sys_vendor", vendor, sizeof vendor);
    textfile_read("/sys/class/dmi/id/product_name", name, sizeof name);
    snprintf(text, sizeof text, "%s%s%s", vendor, vendor[0] && name[0] ? " " : "", name);
    if (text[0])
        record_fact_text(f, text);
    else
        record_fact_unknown(f, "the firmware does not name the machine");
}

/* Device of the route that has no destination of its own. */
static void network(struct record_fact *inventory)
{
    char text[8192], device[32] = "", path[96], speed[32];

    textfile_read("/proc/net/route", text, sizeof text);
    for (char *line = strchr(text, '\n'); line && *++line; line = strchr(line, '\n')) {
        char name[32], destination[16];
        if (sscanf(line, "%31s %15s", name, destination) == 2 &&
            (!device[0] || strcmp(destination, "00000000") == 0))
            memcpy(device, name, sizeof device);
    }
    if (!device[0]) {
        record_fact_unknown(&inventory[INVENTORY_network_device], "no device has a route");
        record_fact_unknown(&inventory[INVENTORY_network_mbit_per_second], "no device has a route");
        return;
    }
    record_fact_text(&inventory[INVENTORY_network_device], device);
    snprintf(path, sizeof path, "/sys/class/net/%s/speed", device);
    if (textfile_read(path, speed, sizeof speed) == 0 && atof(speed) > 0)
        record_fact_number(&inventory[INVENTORY_network_mbit_per_second], atof(speed));
    else
        record_fact_unknown(&inventory[INVENTORY_network_mbit_per_second],
                            "the device does not say its rate");
}

/* The site's word for the class, else processor + network + board. */
static void name_class(struct record_node *node)
{
    static const enum record_inventory_id parts[] = {INVENTORY_cpu_model, INVENTORY_network_device,
                                                     INVENTORY_board};
    const char *said = getenv("HPCAI500_NODE_CLASS");
    size_t at = 0;

    snprintf(node->class_name, TEXT, "%s", said ? said : "");
    for (size_t i = 0; i < sizeof parts / sizeof parts[0] && !(said && *said); i++) {
        const struct record_fact *f = &node->inventory[parts[i]];
        if (f->state == FACT_TEXT && at < TEXT)
            at += (size_t)snprintf(node->class_name + at, TEXT - at, "%s%s", at ? " + " : "",
                                   f->text);
    }
}

void system_node(struct record_node *node, const char *name)
{
    struct record_fact *inventory = node->inventory;
    struct stat st;

    memset(node, 0, sizeof *node);
    snprintf(node->name, sizeof node->name, "%s", name);
    gethostname(node->host, sizeof node->host - 1);
    snprintf(node->build_id, sizeof node->build_id, "%s", HPCAI500_BUILD_ID);
    const char *test = getenv("HPCAI500_TEST_BUILD_ID");
    if (test && *test)
        snprintf(node->build_id, sizeof node->build_id, "%s", test);
    node->plugin_remote = getenv("HPCAI500_PLUGIN") != NULL;
    for (int i = 0; i < INVENTORY_COUNT; i++)
        record_fact_unknown(&inventory[i], "neither hwloc nor /proc says it");
    from_cpuinfo(inventory);
    topology(inventory);
    memory(inventory);
    board(&inventory[INVENTORY_board]);
    from_file(&inventory[INVENTORY_firmware], "/sys/class/dmi/id/bios_version",
              "the firmware does not say its release");
    from_file(&inventory[INVENTORY_clock_source],
              "/sys/devices/system/clocksource/clocksource0/current_clocksource",
              "the kernel does not name its clock source");
    from_file(&inventory[INVENTORY_governor],
              "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor",
              "the kernel shows no frequency governor");
    network(inventory);
    if (stat("/proc/driver/nvidia/gpus", &st) != 0 && stat("/dev/kfd", &st) != 0)
        record_fact_number(&inventory[INVENTORY_accelerators], 0);
    else
        record_fact_unknown(&inventory[INVENTORY_accelerators],
                            "a driver is there, but this release counts none");
    record_fact_unknown(&inventory[INVENTORY_accelerator_model], "there is none that is used");
    name_class(node);
}

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
        record_fact_unknown(f, "no folder was named");
        return;
    }
    snprintf(parent, sizeof parent, "%s", path);
    while (statfs(parent, &s) != 0) {
        char *slash = strrchr(parent, '/');
        if (!slash || slash == parent) {
            record_fact_unknown(f, "the folder cannot be asked");
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

/* ---- libraries as loaded ---- */

struct search {
    const char *name; /* "libdnnl.so" */
    char path[PATH_MAX];
};

static int match_object(struct dl_phdr_info *info, size_t size, void *arg)
{
    struct search *s = arg;
    const char *base = strrchr(info->dlpi_name, '/');

    (void)size;
    if (!base || strncmp(base + 1, s->name, strlen(s->name)) != 0)
        return 0;
    snprintf(s->path, sizeof s->path, "%s", info->dlpi_name);
    return 1;
}

/* "7.0.1" of a loaded /usr/lib/libpapi.so.7.0 -> libpapi.so.7.0.1. */
static bool version_by_file(const char *name, char *text, size_t size)
{
    struct search s = {.name = name};
    char real[PATH_MAX];

    if (!dl_iterate_phdr(match_object, &s))
        return false;
    const char *at = realpath(s.path, real) ? strstr(strrchr(real, '/'), ".so.") : NULL;
    snprintf(text, size, "%s", at ? at + 4 : "loaded, release unknown");
    return true;
}

/* Functions by which libraries say their release. Looked up by name: their
 * headers belong to other folders. */
static bool onednn_version(char *text, size_t size)
{
    struct version {
        int major, minor, patch;
        const char *hash;
        unsigned cpu_runtime;
    };
    static const struct {
        unsigned bits;
        const char *name;
    } runtimes[] = {{1, "sequential"}, {2, "OpenMP"}, {4, "TBB"}, {8, "threadpool"}};
    const struct version *(*get)(void);
    const char *runtime = "unknown runtime";

    *(void **)&get = dlsym(RTLD_DEFAULT, "dnnl_version");
    if (!get)
        return false;
    const struct version *v = get();
    for (size_t i = 0; i < sizeof runtimes / sizeof runtimes[0]; i++)
        if (v->cpu_runtime == runtimes[i].bits)
            runtime = runtimes[i].name;
    snprintf(text, size, "%d.%d.%d, %s", v->major, v->minor, v->patch, runtime);
    return true;
}

static bool hdf5_version(char *text, size_t size)
{
    int (*get)(unsigned *, unsigned *, unsigned *);
    unsigned v[3];

    *(void **)&get = dlsym(RTLD_DEFAULT, "H5get_libversion");
    if (!get || get(&v[0], &v[1], &v[2]) < 0)
        return false;
    snprintf(text, size, "%u.%u.%u", v[0], v[1], v[2]);
    return true;
}

static bool zlib_version(char *text, size_t size)
{
    const char *(*get)(void);

    *(void **)&get = dlsym(RTLD_DEFAULT, "zlibVersion");
    if (get)
        snprintf(text, size, "%s", get());
    return get != NULL;
}

static bool papi_version(char *text, size_t size)
{
    return version_by_file("libpapi.so", text, size);
}

static bool hwloc_version(char *text, size_t size)
{
#ifdef HAVE_HWLOC
    unsigned v = hwloc_get_api_version();

    snprintf(text, size, "API %u.%u.%u", v >> 16, v >> 8 & 255, v & 255);
    return true;
#else
    return version_by_file("libhwloc.so", text, size);
#endif
}

static bool openmp_version(char *text, size_t size)
{
    static const char *const names[] = {"libgomp.so", "libomp.so", "libiomp5.so"};
    char version[64];

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (version_by_file(names[i], version, sizeof version)) {
            snprintf(text, size, "%.*s %s", (int)strcspn(names[i], "."), names[i], version);
            return true;
        }
    return false;
}

static void libraries(struct record_fact *facts)
{
    static const struct {
        enum record_fact_id id;
        bool (*version)(char *text, size_t size);
    } rows[] = {
        {FACT_libraries_onednn, onednn_version}, {FACT_libraries_openmp, openmp_version},
        {FACT_libraries_hdf5, hdf5_version},     {FACT_libraries_zlib, zlib_version},
        {FACT_libraries_papi, papi_version},     {FACT_libraries_hwloc, hwloc_version},
    };
    char text[TEXT];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].version(text, sizeof text))
            record_fact_text(&facts[rows[i].id], text);
        else
            record_fact_unknown(&facts[rows[i].id], "not loaded");
    record_fact_unknown(&facts[FACT_libraries_cuda], "not loaded");
}

/* ---- communication ---- */

/* What started the ranks, by the variables that it leaves. */
static const char *launcher(void)
{
    static const struct {
        const char *variable, *name;
    } rows[] = {
        {"PRTE_LAUNCHED", "mpirun (PRRTE)"},
        {"OMPI_MCA_orte_launch", "mpirun (ORTE)"},
        {"OMPI_COMM_WORLD_RANK", "mpirun (Open MPI)"},
        {"HYDI_CONTROL_FD", "mpiexec (Hydra)"},
        {"PMI_RANK", "PMI"},
        {"PMIX_RANK", "PMIx"},
    };

    if (getenv("SLURM_STEP_ID") && getenv("PMIX_RANK") && !getenv("OMPI_COMM_WORLD_RANK"))
        return "srun, PMIx";
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (getenv(rows[i].variable))
            return rows[i].name;
    return "none, one process";
}

static void transport(struct record_fact *f)
{
    static const char *const names[] = {"OMPI_MCA_btl",      "OMPI_MCA_pml",    "OMPI_MCA_mtl",
                                        "UCX_TLS",           "UCX_NET_DEVICES", "FI_PROVIDER",
                                        "MPICH_OFI_PROVIDER"};
    char text[TEXT] = "";
    size_t at = 0;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        const char *value = getenv(names[i]);
        if (value && at < sizeof text)
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%s=%s", at ? " " : "", names[i],
                                   value);
    }
    char version[64];
    if (version_by_file("libucp.so", version, sizeof version) && at < sizeof text)
        at += (size_t)snprintf(text + at, sizeof text - at, "%sUCX %s loaded", at ? ", " : "",
                               version);
    if (version_by_file("libfabric.so", version, sizeof version) && at < sizeof text)
        at += (size_t)snprintf(text + at, sizeof text - at, "%slibfabric %s loaded", at ? ", " : "",
                               version);
    record_fact_text(f, at ? text : "the library's own choice");
}

static void communication(struct record_fact *facts, const struct system_told *told)
{
    static const struct {
        int level;
        const char *name;
    } levels[] = {{MPI_THREAD_SINGLE, "single"},
                  {MPI_THREAD_FUNNELED, "funneled"},
                  {MPI_THREAD_SERIALIZED, "serialized"},
                  {MPI_THREAD_MULTIPLE, "multiple"}};
    char library[MPI_MAX_LIBRARY_VERSION_STRING], text[32];
    int n, major, minor;

    MPI_Get_library_version(library, &n);
    library[strcspn(library, "\n")] = '\0';
    for (char *tab = library; (tab = strchr(tab, '\t'));)
        *tab = ' ';
    record_fact_text(&facts[FACT_communication_mpi], library);
    MPI_Get_version(&major, &minor);
    snprintf(text, sizeof text, "%d.%d", major, minor);
    record_fact_text(&facts[FACT_communication_mpi_standard], text);
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (levels[i].level == told->thread_level)
            record_fact_text(&facts[FACT_communication_thread_level], levels[i].name);
    record_fact_text(&facts[FACT_communication_launcher], launcher());
    transport(&facts[FACT_communication_transport]);
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
    record_fact_text(&facts[FACT_implementation_instruction_set], instruction_set());
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
        record_fact_unknown(&facts[i], "the agent did not see it");
    operating_system(facts, told);
    communication(facts, told);
    libraries(facts);
    record_fact_text(&facts[FACT_framework_name], "hpcai500");
    record_fact_text(&facts[FACT_framework_version], PACKAGE_VERSION);
    record_fact_text(&facts[FACT_framework_engine], told->engine);
    programming_model(facts, told);
    implementation(facts);
}
