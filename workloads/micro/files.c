/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/files.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "reports/core/runspec.h"
#include "workloads/data/cache.h"

enum { LEAST_UNITS = 4, MEMORY_PART = 8, WALKED = 16 };

static int check_space(const char *where, uint64_t bytes, int ranks, struct err *e)
{
    struct statvfs st;

    if (statvfs(where, &st) < 0)
        return err_set(e, "%s: %s", where, strerror(errno));
    const double room = (double)st.f_bavail * (double)st.f_frsize;
    const double need = (double)bytes * ranks;
    if (need > 0.9 * room)
        return err_set(e,
                       "%s: the benchmark's files need %.0f MB there, and %.0f MB are free: give "
                       "data=FOLDER with more space, or a smaller class",
                       where, need / 1e6, room / 1e6);
    return 0;
}

/* Length of the longest part of a path that is there; 0: none of a relative one. */
static size_t standing(const char *path)
{
    char part[PATH_MAX];
    size_t n = (size_t)snprintf(part, sizeof part, "%s", path);

    while (n > 0 && access(part, F_OK) < 0) {
        while (n > 0 && part[n - 1] == '/')
            n--;
        while (n > 0 && part[n - 1] != '/')
            n--;
        part[n] = '\0';
    }
    return n;
}

int files_open(struct files *f, const char *where, uint64_t bytes, int ranks, struct err *e)
{
    *f = (struct files){.folder = ""};
    if (!where || !*where)
        return err_set(e, "there is no folder for the benchmark's files: give data=FOLDER");
    if (strlen(where) >= sizeof f->where)
        return err_set(e, "the folder's name '%.80s...' is too long", where);
    snprintf(f->where, sizeof f->where, "%s", where);
    f->stood = standing(where);
    if (cache_make_folder(where, e) < 0 || check_space(where, bytes, ranks, e) < 0)
        return -1;
    if ((size_t)snprintf(f->folder, sizeof f->folder, "%s/hpcai500-micro.XXXXXX", where) >=
        sizeof f->folder) {
        f->folder[0] = '\0';
        return err_set(e, "the folder's name '%.80s...' is too long", where);
    }
    if (mkdtemp(f->folder))
        return 0;
    f->folder[0] = '\0';
    return err_set(e, "%s: no folder can be made there: %s", where, strerror(errno));
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st, (void)type, (void)at;
    remove(path);
    return 0;
}

/* Of path, what is longer than `stood`, from its end; until something is in it. */
static void remove_above(char *path, size_t stood)
{
    size_t n = strlen(path);

    while (n > stood && rmdir(path) == 0) {
        while (n > 0 && path[n - 1] == '/')
            n--;
        while (n > 0 && path[n - 1] != '/')
            n--;
        path[n] = '\0';
    }
}

void files_close(struct files *f, struct comm *c)
{
    if (f->folder[0])
        nftw(f->folder, remove_one, WALKED, FTW_DEPTH | FTW_PHYS);
    if (c->size > 1)
        c->barrier(c, NULL); /* where it fails, an empty folder may stay */
    remove_above(f->where, f->stood);
    *f = (struct files){.folder = ""};
}

const char *files_path(const struct files *f, const char *name, char path[PATH_MAX])
{
    snprintf(path, PATH_MAX, "%s/%.*s", f->folder, FILES_NAME - 2, name);
    return path;
}

int files_drop(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC), code = 0;

    if (fd < 0)
        return err_set(e, "%s: %s", path, strerror(errno));
    if (fdatasync(fd) < 0)
        code = errno;
    if (!code) /* where it does nothing, files_count() sees it */
        posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    close(fd);
    return code ? err_set(e, "%s: %s", path, strerror(code)) : 0;
}

/* false: the system does not tell. */
static bool count_pages(int fd, size_t bytes, struct files_pages *p)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE), n = (bytes + page - 1) / page;
    unsigned char *in = malloc(n);
    void *map = mmap(NULL, bytes, PROT_READ, MAP_SHARED, fd, 0);
    bool told = in && map != MAP_FAILED && mincore(map, bytes, in) == 0;

    for (size_t i = 0; told && i < n; i++)
        p->resident += in[i] & 1;
    p->all += told ? n : 0;
    if (map != MAP_FAILED)
        munmap(map, bytes);
    free(in);
    return told;
}

void files_count(const char *path, struct files_pages *p)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0 || fstat(fd, &st) < 0 || (st.st_size > 0 && !count_pages(fd, (size_t)st.st_size, p)))
        p->unknown++;
    if (fd >= 0)
        close(fd);
}

double files_part(const struct files_pages *p)
{
    return p->unknown || p->all == 0 ? (double)NAN : (double)p->resident / (double)p->all;
}

uint64_t files_bytes(int class, int ranks, uint64_t memory_bytes, uint64_t unit)
{
    uint64_t bytes = UINT64_C(1) << (class == CLASS_TINY ? 25 : class == CLASS_SMALL ? 27 : 30);

    bytes /= (uint64_t)(ranks > 0 ? ranks : 1);
    if (memory_bytes && bytes > memory_bytes / MEMORY_PART)
        bytes = memory_bytes / MEMORY_PART;
    bytes = bytes / unit * unit;
    return bytes < LEAST_UNITS * unit ? LEAST_UNITS * unit : bytes;
}
