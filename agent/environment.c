/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/environment.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/core/crc32c.h"
#include "reports/core/utf8.h"

enum {
    OF_SYSTEM = FACT_operating_system_environment,
    OF_MPI = FACT_communication_environment,
    OF_LIBRARIES = FACT_libraries_environment,
    OF_THREADS = FACT_programming_model_environment,
    NOWHERE = -1 /* not recorded: the launcher's own, another value at each start */
};

/* The first row that fits a variable counts. */
static const struct setting {
    const char *name; /* "OMP_*": all that begin with OMP_ */
    int fact;
    const char *why;   /* it makes the run not comparable; NULL: it does not */
    const char *value; /* only when its value holds this; NULL: any but "" and "0" */
} settings[] = {
    /* oneDNN: both spellings; 3.x knows only the second */
    {"DNNL_MAX_CPU_ISA", OF_LIBRARIES, "it keeps oneDNN from instructions that the processor has",
     NULL},
    {"ONEDNN_MAX_CPU_ISA", OF_LIBRARIES, "it keeps oneDNN from instructions that the processor has",
     NULL},
    {"DNNL_DEFAULT_FPMATH_MODE", OF_LIBRARIES,
     "it lets oneDNN compute with less precision than dtype= says", NULL},
    {"ONEDNN_DEFAULT_FPMATH_MODE", OF_LIBRARIES,
     "it lets oneDNN compute with less precision than dtype= says", NULL},
    {"DNNL_VERBOSE", OF_LIBRARIES, "it makes oneDNN report each operation", NULL},
    {"ONEDNN_VERBOSE", OF_LIBRARIES, "it makes oneDNN report each operation", NULL},
    {"DNNL_JIT_DUMP", OF_LIBRARIES, "it makes oneDNN write down its code", NULL},
    {"ONEDNN_JIT_DUMP", OF_LIBRARIES, "it makes oneDNN write down its code", NULL},
    {"DNNL_*", OF_LIBRARIES, NULL, NULL},
    {"ONEDNN_*", OF_LIBRARIES, NULL, NULL},
    {"HDF5_VOL_CONNECTOR", OF_LIBRARIES, "it takes HDF5's reading to another program", NULL},
    {"HDF5_*", OF_LIBRARIES, NULL, NULL},
    {"OPENBLAS_*", OF_LIBRARIES, NULL, NULL},
    {"MKL_*", OF_LIBRARIES, NULL, NULL},
    /* threads */
    {"OMP_*", OF_THREADS, NULL, NULL},
    {"KMP_*", OF_THREADS, NULL, NULL},
    {"GOMP_*", OF_THREADS, NULL, NULL},
    /* MPI; what mpirun of Open MPI tells its ranks by the same names is not ours */
    {"OMPI_MCA_orte_*", NOWHERE, NULL, NULL},
    {"OMPI_MCA_ess*", NOWHERE, NULL, NULL},
    {"OMPI_MCA_pmix", NOWHERE, NULL, NULL},
    {"OMPI_MCA_initial_wdir", NOWHERE, NULL, NULL},
    {"OMPI_MCA_mpi_oversubscribe", NOWHERE, NULL, NULL},
    {"OMPI_MCA_shmem_RUNTIME_QUERY_hint", NOWHERE, NULL, NULL},
    {"OMPI_MCA_*", OF_MPI, NULL, NULL},
    {"PMIX_MCA_*", OF_MPI, NULL, NULL},
    {"PRTE_MCA_*", OF_MPI, NULL, NULL},
    {"UCX_*", OF_MPI, NULL, NULL},
    {"MPIR_CVAR_CH3_INTERFACE_HOSTNAME", NOWHERE, NULL, NULL},
    {"MPICH_*", OF_MPI, NULL, NULL},
    {"MPIR_*", OF_MPI, NULL, NULL},
    {"MV2_*", OF_MPI, NULL, NULL},
    {"I_MPI_*", OF_MPI, NULL, NULL},
    {"FI_*", OF_MPI, NULL, NULL},
    {"PSM2_*", OF_MPI, NULL, NULL},
    {"PSM3_*", OF_MPI, NULL, NULL},
    /* the C library, the loader, the topology */
    {"MALLOC_PERTURB_", OF_SYSTEM, "it makes malloc write into all that it gives", NULL},
    {"MALLOC_CHECK_", OF_SYSTEM, "it makes malloc check all that it gives", NULL},
    {"MALLOC_*", OF_SYSTEM, NULL, NULL},
    {"GLIBC_TUNABLES", OF_SYSTEM, "it keeps the C library from instructions that the processor has",
     "glibc.cpu.hwcaps"},
    {"GLIBC_TUNABLES", OF_SYSTEM, "it makes malloc write into all that it gives",
     "glibc.malloc.perturb"},
    {"GLIBC_TUNABLES", OF_SYSTEM, "it makes malloc check all that it gives", "glibc.malloc.check"},
    {"GLIBC_TUNABLES", OF_SYSTEM, NULL, NULL},
    {"LD_PRELOAD", OF_SYSTEM, NULL, NULL},
    {"LD_AUDIT", OF_SYSTEM, NULL, NULL},
    {"HWLOC_*", OF_SYSTEM, NULL, NULL},
};
enum { N_SETTINGS = sizeof settings / sizeof settings[0] };

static bool fits(const struct setting *s, const char *variable)
{
    size_t n = strlen(s->name), length = strcspn(variable, "=");
    const char *value = variable + length + (variable[length] == '=');

    if (s->name[n - 1] == '*' ? strncmp(s->name, variable, n - 1) != 0
                              : n != length || strncmp(s->name, variable, n) != 0)
        return false;
    return !s->value || strstr(value, s->value);
}

static int row_of(const char *variable)
{
    for (int i = 0; i < N_SETTINGS; i++)
        if (fits(&settings[i], variable))
            return i;
    return -1;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The variables of one fact, each with its value; what has no room is counted. */
static void put_fact(struct record_fact *f, int fact, char *const *variables, int n)
{
    enum { ROOM_FOR_REST = 40 };
    char text[RECORD_TEXT_SIZE] = "";
    size_t at = 0;
    uint32_t sum = 0;
    int rest = 0;

    for (int i = 0; i < n; i++) {
        int row = row_of(variables[i]);
        size_t length = strlen(variables[i]);
        if (row < 0 || settings[row].fact != fact)
            continue;
        if (rest == 0 && at + 1 + length < sizeof text - ROOM_FOR_REST) {
            at +=
                (size_t)snprintf(text + at, sizeof text - at, "%s%s", at ? " " : "", variables[i]);
        } else {
            sum = crc32c(sum, variables[i], length);
            rest++;
        }
    }
    if (rest > 0)
        snprintf(text + at, sizeof text - at, "%sand %d more, crc32c %08x", at ? " " : "", rest,
                 (unsigned)sum);
    utf8_clean(text);
    record_fact_text(f, text[0] ? text : "nothing set");
}

void environment_facts(struct record_fact facts[FACT_COUNT])
{
    static const int of[] = {OF_SYSTEM, OF_MPI, OF_LIBRARIES, OF_THREADS};
    int n = 0;

    while (environ && environ[n])
        n++;
    char **sorted = malloc(((size_t)n + 1) * sizeof *sorted);
    for (int i = 0; sorted && i < n; i++)
        sorted[i] = environ[i];
    if (sorted)
        qsort(sorted, (size_t)n, sizeof *sorted, by_text);
    for (size_t i = 0; i < sizeof of / sizeof of[0]; i++)
        if (sorted)
            put_fact(&facts[of[i]], of[i], sorted, n);
        else
            record_fact_unknown(&facts[of[i]], "out of memory for the environment");
    free(sorted);
}

static bool is_on(const char *variable)
{
    const char *value = strchr(variable, '=');

    return value && value[1] && strcmp(value, "=0") != 0;
}

int environment_objection(void)
{
    int least = -1;

    for (char **v = environ; v && *v; v++) {
        int row = row_of(*v);
        if (row >= 0 && settings[row].why && is_on(*v) && (least < 0 || row < least))
            least = row;
    }
    return least;
}

void environment_sentence(int row, char *text, size_t size)
{
    if (row < 0 || row >= N_SETTINGS || !settings[row].why)
        snprintf(text, size, "a variable is set that makes the run not comparable");
    else
        snprintf(text, size, "%s is set: %s", settings[row].name, settings[row].why);
}

const char *environment_name(int i)
{
    return i >= 0 && i < N_SETTINGS ? settings[i].name : NULL;
}
