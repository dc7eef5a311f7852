/* SPDX-License-Identifier: BSD-3-Clause */
/* The node's own disk: a file written through to the device, and pages of it read back. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "reports/core/clock.h"
#include "reports/core/fdio.h"
#include "workloads/micro/sample.h"
#include "workloads/node/speed.h"
#include "workloads/philox.h"

enum { BLOCK = 1 << 20, BLOCKS = 64, PAGE = 4096, READS = 200 };

#define TMPFS_MAGIC 0x01021994

static int write_all(int fd, const char *folder, const char *block, double *rate, struct err *e)
{
    double begin = clock_now();

    for (int i = 0; i < BLOCKS; i++)
        if (fdio_write(fd, block, BLOCK) < 0)
            return err_set(e, "%s: a file of %d MiB cannot be written: %s", folder, BLOCKS,
                           strerror(errno));
    if (fsync(fd) < 0)
        return err_set(e, "%s: fsync: %s", folder, strerror(errno));
    *rate = (double)BLOCK * BLOCKS / (clock_now() - begin);
    return 0;
}

static int read_some(int fd, const char *folder, uint64_t seed, double *seconds, struct err *e)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)};
    double took[READS];
    char page[PAGE];

    posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
    posix_fadvise(fd, 0, 0, POSIX_FADV_RANDOM);
    for (uint32_t i = 0; i < READS; i++) {
        uint32_t at[4] = {i, 0, 0, UINT32_C(0x6469736b)};
        philox4x32(at, key, at);
        off_t place = (off_t)(at[0] % ((uint32_t)BLOCKS * (BLOCK / PAGE))) * PAGE;
        double begin = clock_now();
        if (pread(fd, page, PAGE, place) != PAGE)
            return err_set(e, "%s: a page cannot be read: %s", folder, strerror(errno));
        took[i] = clock_now() - begin;
    }
    *seconds = sample_median(took, READS);
    return 0;
}

int disk_sample(const char *folder, uint64_t seed, double *rate, double *seconds, struct err *e)
{
    char path[PATH_MAX], *block;
    struct statfs fs;
    int rc = -1;

    if (statfs(folder, &fs) == 0 && fs.f_type == TMPFS_MAGIC)
        return err_set(e, "%s lies in memory", folder);
    snprintf(path, sizeof path, "%s/.hpcai500-node-XXXXXX", folder);
    int fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return err_set(e, "%s: no file can be made: %s", folder, strerror(errno));
    unlink(path);
    if ((block = malloc(BLOCK))) {
        for (int i = 0; i < BLOCK; i++)
            block[i] = (char)(i * 131 + i / 251);
        rc = write_all(fd, folder, block, rate, e) < 0 ? -1
                                                       : read_some(fd, folder, seed, seconds, e);
    } else {
        err_set(e, "out of memory for a block of the disk test");
    }
    free(block);
    close(fd);
    return rc;
}
