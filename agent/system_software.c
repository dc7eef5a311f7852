/* SPDX-License-Identifier: BSD-3-Clause */
/* Libraries as loaded, and MPI. */
#include <config.h>

#include <dlfcn.h>
#include <limits.h>
#include <link.h>
#include <mpi.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef HAVE_HWLOC
#include <hwloc.h>
#endif

#include "agent/system_parts.h"

enum { TEXT = RECORD_TEXT_SIZE };

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

bool system_onednn_isa(char *text, size_t size)
{
    static const char head[] = "cpu_isa_";
    int (*get)(void);
    const char *(*name)(int);

    *(void **)&get = dlsym(RTLD_DEFAULT, "dnnl_get_effective_cpu_isa");
    *(void **)&name = dlsym(RTLD_DEFAULT, "dnnl_cpu_isa2str");
    if (!get || !name)
        return false;
    const char *isa = name(get());
    snprintf(text, size, "%s", strncmp(isa, head, strlen(head)) == 0 ? isa + strlen(head) : isa);
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

void system_libraries(struct record_fact facts[FACT_COUNT])
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

void system_communication(struct record_fact facts[FACT_COUNT], const struct system_told *told)
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
