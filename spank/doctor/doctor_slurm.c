/* SPDX-License-Identifier: BSD-3-Clause */
/* doctor: what Slurm sees of us. Everything is asked of Slurm's own programs. */
#include <config.h>

#include "spank/doctor/doctor.h"

#include <ctype.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* ---- plugstack ---- */

/* Value of a line "Key   = value" that scontrol prints; "" none. */
static void shown_value(const char *text, const char *key, char *value, size_t size)
{
    size_t n = strlen(key);

    value[0] = '\0';
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (strncmp(line, key, n) != 0 || !strchr(" =", line[n]))
            continue;
        const char *v = line + n + strspn(line + n, " =");
        snprintf(value, size, "%.*s", (int)strcspn(v, "\n"), v);
        return;
    }
}

/* One line of plugstack: "optional PATH ARGUMENT...". */
static void read_line(struct doctor *d, char *line)
{
    char *save = NULL, *word = strtok_r(line, " \t", &save);
    char *path = word ? strtok_r(NULL, " \t", &save) : NULL;
    const char *base = path ? strrchr(path, '/') : NULL;

    base = base ? base + 1 : path;
    if (!path || (strcmp(word, "optional") != 0 && strcmp(word, "required") != 0) ||
        strcmp(base, "hpcai500.so") != 0)
        return;
    snprintf(d->plugin, sizeof d->plugin, "%s", path);
    while ((word = strtok_r(NULL, " \t", &save))) {
        if (strncmp(word, "conf=", 5) == 0)
            snprintf(d->conf, sizeof d->conf, "%s", word + 5);
        else if (strncmp(word, "agent=/", 7) == 0)
            snprintf(d->agent, sizeof d->agent, "%s", word + 6);
    }
}

static void read_plugstack(struct doctor *d, const char *path, int depth)
{
    char line[4096];
    FILE *f = depth < 4 ? fopen(path, "re") : NULL;

    while (f && fgets(line, sizeof line, f)) {
        char *start = line + strspn(line, " \t");
        glob_t g;
        start[strcspn(start, "#\n")] = '\0';
        if (strncmp(start, "include", 7) != 0 || !isblank((unsigned char)start[7])) {
            read_line(d, start);
            continue;
        }
        start += 7 + strspn(start + 7, " \t");
        start[strcspn(start, " \t")] = '\0';
        if (glob(start, 0, NULL, &g) == 0) {
            for (size_t i = 0; i < g.gl_pathc; i++)
                read_plugstack(d, g.gl_pathv[i], depth + 1);
            globfree(&g);
        }
    }
    if (f)
        fclose(f);
}

/* A name without a folder stands in one of PluginDir's. */
static void find_file(struct doctor *d, char *folders)
{
    char path[PATH_MAX];
    char *save = NULL;

    if (d->plugin[0] == '/' || !d->plugin[0])
        return;
    for (char *f = strtok_r(folders, ":", &save); f; f = strtok_r(NULL, ":", &save)) {
        snprintf(path, sizeof path, "%s/%s", f, d->plugin);
        if (access(path, F_OK) == 0 && strlen(path) < sizeof d->plugin) {
            snprintf(d->plugin, sizeof d->plugin, "%.*s", (int)sizeof d->plugin - 1, path);
            return;
        }
    }
}

void doctor_find_plugin(struct doctor *d)
{
    const char *argv[] = {"scontrol", "show", "config", NULL};
    char *text;
    char folders[4096];

    if (doctor_run(argv, d->seconds, &text) == 0) {
        shown_value(text, "PlugStackConfig", d->plugstack, sizeof d->plugstack);
        shown_value(text, "PluginDir", folders, sizeof folders);
        if (d->plugstack[0])
            read_plugstack(d, d->plugstack, 0);
        find_file(d, folders);
    }
    free(text);
}

/* ---- the plugin's file ---- */

/* Where the bytes at an address stand in the file; 0: nowhere. */
static size_t file_offset(const unsigned char *p, size_t size, uint64_t address, size_t n)
{
    Elf64_Ehdr head;
    Elf64_Phdr segment;

    memcpy(&head, p, sizeof head);
    for (int i = 0; i < head.e_phnum; i++) {
        uint64_t at = head.e_phoff + (uint64_t)i * sizeof segment;
        if (at > size - sizeof segment || head.e_phoff > size)
            return 0;
        memcpy(&segment, p + at, sizeof segment);
        if (segment.p_type != PT_LOAD || address < segment.p_vaddr ||
            address - segment.p_vaddr >= segment.p_filesz)
            continue;
        uint64_t offset = segment.p_offset + (address - segment.p_vaddr);
        return offset <= size - n && segment.p_offset <= size ? (size_t)offset : 0;
    }
    return 0;
}

/* Value of the exported unsigned `name`; 0: there is none. */
static unsigned exported(const unsigned char *p, size_t size, const char *name)
{
    Elf64_Ehdr head;
    Elf64_Shdr s, strings;
    Elf64_Sym y;
    unsigned value = 0;
    size_t n = strlen(name) + 1;

    memcpy(&head, p, sizeof head);
    for (int i = 0; i < head.e_shnum; i++) {
        uint64_t at = head.e_shoff + (uint64_t)i * sizeof s;
        if (head.e_shoff > size || at > size - sizeof s)
            return 0;
        memcpy(&s, p + at, sizeof s);
        uint64_t link = head.e_shoff + (uint64_t)s.sh_link * sizeof s;
        if (s.sh_type != SHT_DYNSYM || s.sh_offset > size || s.sh_size > size - s.sh_offset ||
            link > size - sizeof strings)
            continue;
        memcpy(&strings, p + link, sizeof strings);
        for (uint64_t k = 0; k + sizeof y <= s.sh_size; k += sizeof y) {
            memcpy(&y, p + s.sh_offset + k, sizeof y);
            uint64_t text = strings.sh_offset + y.st_name;
            size_t where;
            if (strings.sh_offset <= size && text <= size - n && memcmp(p + text, name, n) == 0 &&
                (where = file_offset(p, size, y.st_value, sizeof value)))
                memcpy(&value, p + where, sizeof value);
        }
    }
    return value;
}

/* Slurm's release in the plugin, as SLURM_VERSION_NUM(major, minor, micro); 0
 * and *why when it is not a plugin. Reading, not loading: it wants slurmstepd. */
static unsigned plugin_release(const char *path, const char **why)
{
    struct stat st;
    unsigned release = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    *why = fd < 0 ? strerror(errno) : "it is not a shared library of this machine";
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        st.st_size > (off_t)(sizeof(Elf64_Ehdr) + sizeof(Elf64_Shdr))) {
        size_t size = (size_t)st.st_size;
        unsigned char *p = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p != MAP_FAILED && memcmp(p, ELFMAG, SELFMAG) == 0 && p[EI_CLASS] == ELFCLASS64)
            release = exported(p, size, "plugin_version");
        if (p != MAP_FAILED)
            munmap(p, size);
    }
    if (fd >= 0)
        close(fd);
    return release;
}

/* "slurm-wlm 22.05.8"; -1: scontrol does not say. */
static int running_release(const struct doctor *d, unsigned *major, unsigned *minor)
{
    const char *argv[] = {"scontrol", "--version", NULL};
    char *text;
    int rc = doctor_run(argv, d->seconds, &text);
    const char *number = strchr(text, ' ');

    rc = rc == 0 && number && sscanf(number, "%u.%u", major, minor) == 2 ? 0 : -1;
    free(text);
    return rc;
}

void doctor_plugin(struct doctor *d)
{
    unsigned major = 0, minor = 0, release;
    const char *why;
    struct stat st;

    if (running_release(d, &major, &minor)) {
        doctor_add(d, DOCTOR_UNKNOWN, "install Slurm's client programs, or put them into PATH",
                   "scontrol does not say which Slurm this is");
        return;
    }
    if (!d->plugin[0]) {
        doctor_add(
            d, DOCTOR_CRITICAL,
            "copy hpcai500.conf to plugstack.conf.d, and include that folder in plugstack.conf",
            "no line of %s loads hpcai500.so", d->plugstack[0] ? d->plugstack : "plugstack");
        return;
    }
    release = plugin_release(d->plugin, &why);
    if (release == 0)
        doctor_add(d, DOCTOR_CRITICAL, "install hpcai500 on this machine as on the others",
                   "the plugin %s cannot be read: %s", d->plugin, why);
    else if (release >> 16 != major || (release >> 8 & 0xff) != minor)
        doctor_add(d, DOCTOR_CRITICAL, "build and install hpcai500 again, for the Slurm that runs",
                   "%s was built for Slurm %u.%02u, here runs %u.%02u", d->plugin, release >> 16,
                   release >> 8 & 0xff, major, minor);
    else if (stat(d->plugin, &st) == 0 && (st.st_mode & 022))
        doctor_add(d, DOCTOR_CRITICAL, "chmod go-w the file; root loads it",
                   "%s can be written by others than its owner", d->plugin);
    else
        doctor_add(d, DOCTOR_OK, "", "%s is built for Slurm %u.%02u", d->plugin, major, minor);
}

/* ---- what srun answers ---- */

void doctor_option(struct doctor *d)
{
    const char *argv[] = {"srun", "--hpcai500=list", NULL};
    char *text;
    int rc = doctor_run(argv, d->seconds, &text);

    if (rc == 127)
        doctor_add(d, DOCTOR_UNKNOWN, "install Slurm's client programs, or put them into PATH",
                   "there is no srun");
    else if (rc == 0 && strstr(text, "Workloads:"))
        doctor_add(d, DOCTOR_OK, "", "srun --hpcai500=list answers");
    else
        doctor_add(d, DOCTOR_CRITICAL,
                   "see what the check 'plugin' says, and srun -vv --hpcai500=list",
                   "srun --hpcai500=list does not answer: %s", doctor_line(text));
    free(text);
}

void doctor_pmix(struct doctor *d)
{
    const char *argv[] = {"srun", "--mpi=list", NULL};
    char *text;
    int rc = doctor_run(argv, d->seconds, &text);

    if (rc == 127)
        doctor_add(d, DOCTOR_UNKNOWN, "install Slurm's client programs, or put them into PATH",
                   "there is no srun");
    else if (strstr(text, "pmix"))
        doctor_add(d, DOCTOR_OK, "", "srun supports PMIx");
    else
        doctor_add(d, DOCTOR_WARN,
                   "install Slurm's PMIx plugin, or an agent whose MPI starts by one of the others",
                   "srun does not support PMIx: Open MPI's ranks will not find each other");
    free(text);
}
