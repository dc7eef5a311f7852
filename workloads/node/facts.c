/* SPDX-License-Identifier: BSD-3-Clause */
/* Who the node is, from /proc and /sys, and what makes its results equal bit by bit. */
#include <config.h>

#include <ctype.h>
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "build_id.h"
#include "reports/core/sha256.h"
#include "reports/core/slurp.h"
#include "reports/core/utf8.h"
#include "workloads/micro/cache.h"
#include "workloads/node/node.h"
#include "workloads/node/team.h"

enum { FILE_SIZE = 8192 };

/* Whether a serial number is one: boards whose maker left it out say so in these words, all
 * alike, or in one character many times over, or count. */
static bool names_one_board(const char *serial)
{
    static const char *const fillers[] = {
        "to be filled by o.e.m.",
        "default string",
        "system serial number",
        "serial number",
        "not specified",
        "not applicable",
        "not available",
        "none",
        "n/a",
        "unknown",
        "invalid",
        "oem",
    };

    for (size_t i = 0; i < sizeof fillers / sizeof *fillers; i++)
        if (strcasecmp(serial, fillers[i]) == 0)
            return false;
    return strspn(serial, (char[]){serial[0], '\0'}) < strlen(serial) &&
           strstr("01234567890", serial) == NULL && strstr("1234567890", serial) == NULL;
}

/* The first line of a file below root; "" when it cannot be read. */
static void line_of(const char *root, const char *path, char *text, size_t size)
{
    char whole[PATH_MAX], buf[FILE_SIZE];

    *text = '\0';
    snprintf(whole, sizeof whole, "%s%s", root, path);
    if (slurp_text(whole, buf, sizeof buf) < 0 && errno != EFBIG)
        return;
    buf[strcspn(buf, "\n")] = '\0';
    for (size_t n = strlen(buf); n > 0 && isspace((unsigned char)buf[n - 1]); n--)
        buf[n - 1] = '\0';
    snprintf(text, size, "%s", buf);
    utf8_clean(text);
}

/* The value behind "name ... :" in a file of such lines, its first. */
static void value_of(const char *root, const char *path, const char *name, char *text, size_t size)
{
    char whole[PATH_MAX], buf[FILE_SIZE];

    *text = '\0';
    snprintf(whole, sizeof whole, "%s%s", root, path);
    if (slurp_text(whole, buf, sizeof buf) < 0 && errno != EFBIG)
        return;
    for (char *line = buf; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
        if (strncmp(line, name, strlen(name)) != 0)
            continue;
        const char *colon = strchr(line, ':');
        if (!colon)
            return;
        colon += 1 + strspn(colon + 1, " \t");
        snprintf(text, size, "%.*s", (int)strcspn(colon, "\n"), colon);
        utf8_clean(text);
        return;
    }
}

static int count_nodes(const char *root)
{
    char path[PATH_MAX];
    struct dirent *d;
    int n = 0;

    snprintf(path, sizeof path, "%s/sys/devices/system/node", root);
    DIR *dir = opendir(path);
    while (dir && (d = readdir(dir)))
        n += strncmp(d->d_name, "node", 4) == 0 && isdigit((unsigned char)d->d_name[4]);
    if (dir)
        closedir(dir);
    return n;
}

/* What oneDNN says of itself, found by name: its headers belong to the engine. */
static void library_of(char isa[32], char release[40])
{
    struct version {
        int major, minor, patch;
    };
    const struct version *(*version)(void);
    const char *(*name)(int);
    int (*effective)(void);

    *(void **)&version = dlsym(RTLD_DEFAULT, "dnnl_version");
    *(void **)&effective = dlsym(RTLD_DEFAULT, "dnnl_get_effective_cpu_isa");
    *(void **)&name = dlsym(RTLD_DEFAULT, "dnnl_cpu_isa2str");
    snprintf(isa, 32, "%s", effective && name ? name(effective()) : "");
    *release = '\0';
    if (version)
        snprintf(release, 40, "%d.%d.%d", version()->major, version()->minor, version()->patch);
}

/* Build, library, instruction set, caches that its blocking reads, seed. */
static void make_key(const struct node_options *o, const char *backend, struct node_result *r)
{
    char release[40], text[512], hex[SHA256_HEX_SIZE];
    struct cache c;

    library_of(r->isa, release);
    cache_find(&c, o->root);
    int n = snprintf(text, sizeof text, "%s|%s|%s|%s|%zu|%zu|%zu|f32|%llu", r->build, backend,
                     release, r->isa, c.level[0].bytes, c.level[1].bytes, c.level[2].bytes,
                     (unsigned long long)o->seed);
    sha256_of(text, (size_t)n, hex);
    snprintf(r->key, sizeof r->key, "%.16s", hex);
}

static void name_node(struct node_result *r)
{
    const char *slurm = getenv("SLURMD_NODENAME");

    if (slurm && *slurm)
        snprintf(r->node, sizeof r->node, "%s", slurm);
    else if (gethostname(r->node, sizeof r->node - 1) == 0)
        r->node[strcspn(r->node, ".")] = '\0';
}

void node_facts(const struct node_options *o, const char *backend, struct node_result *r)
{
    char model[60], board[32], kib[32];
    const char *root = o->root;
    int cpus[TEAM_MOST];

    name_node(r);
    value_of(root, "/proc/cpuinfo", "model name", model, sizeof model);
    line_of(root, "/sys/class/dmi/id/product_name", board, sizeof board);
    snprintf(r->class, sizeof r->class, "%s%s%s", model, *model && *board ? ", " : "", board);
    line_of(root, "/sys/class/dmi/id/product_serial", r->serial, sizeof r->serial);
    if (!names_one_board(r->serial))
        r->serial[0] = '\0';
    line_of(root, "/proc/sys/kernel/random/boot_id", r->boot_id, sizeof r->boot_id);
    line_of(root, "/proc/sys/kernel/osrelease", r->kernel, sizeof r->kernel);
    value_of(root, "/proc/cpuinfo", "microcode", r->microcode, sizeof r->microcode);
    line_of(root, "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", r->governor,
            sizeof r->governor);
    line_of(root, "/sys/devices/system/clocksource/clocksource0/current_clocksource",
            r->clock_source, sizeof r->clock_source);
    value_of(root, "/proc/meminfo", "MemTotal", kib, sizeof kib);
    r->memory_bytes = 1024 * strtod(kib, NULL);
    r->numa_nodes = count_nodes(root);
    r->cpus = team_cpus(cpus, TEAM_MOST);
    snprintf(r->build, sizeof r->build, "%s", HPCAI500_BUILD_ID);
    make_key(o, backend, r);
}

/* ---- ECC ---- */

static long number_of(const char *root, const char *folder, const char *name)
{
    char path[PATH_MAX], text[64];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    line_of(root, path, text, sizeof text);
    return *text ? strtol(text, NULL, 10) : -1;
}

/* The label of the first DIMM of a controller that has errors. */
static void label_of(const char *root, const char *mc, char *where, size_t size)
{
    static const char *const kinds[] = {"dimm", "rank", "csrow"};

    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 64 && !*where; i++) {
            char folder[PATH_MAX - 32];
            snprintf(folder, sizeof folder, "%s/%s%d", mc, kinds[k], i);
            if (number_of(root, folder, k < 2 ? "dimm_ce_count" : "ce_count") <= 0 &&
                number_of(root, folder, k < 2 ? "dimm_ue_count" : "ue_count") <= 0)
                continue;
            char path[PATH_MAX];
            snprintf(path, sizeof path, "%s/%s", folder, k < 2 ? "dimm_label" : "ch0_dimm_label");
            line_of(root, path, where, size);
        }
}

struct node_ecc node_ecc_read(const char *root)
{
    struct node_ecc ecc = {.corrected = -1, .uncorrected = -1};

    for (int mc = 0; mc < 64; mc++) {
        char folder[64];
        snprintf(folder, sizeof folder, "/sys/devices/system/edac/mc/mc%d", mc);
        long ce = number_of(root, folder, "ce_count"), ue = number_of(root, folder, "ue_count");
        if (ce < 0)
            continue;
        ecc.corrected = (ecc.corrected < 0 ? 0 : ecc.corrected) + ce;
        ecc.uncorrected = (ecc.uncorrected < 0 ? 0 : ecc.uncorrected) + (ue > 0 ? ue : 0);
        if (ce > 0 || ue > 0)
            label_of(root, folder, ecc.where, sizeof ecc.where);
    }
    return ecc;
}
