/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loader_bench raw|read|loader DIR EDGE [cold]
 *
 * One pass over the training part of a set, and its rate in GB/s of stored
 * bytes and of decoded cubes:
 *   raw     every file from its first byte to its last, as cat would
 *   read    dataset_read(): checked, decoded
 *   loader  batches of 8 through the loader's thread, as a trainer gets them
 * cold: the files are dropped from this machine's page cache first (a file
 * server's own cache stays as it is).
 */
#include <config.h>

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "workloads/data/loader.h"

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Calls look for every file of DIR/train; sums what it returns. */
static uint64_t each_file(const char *folder, uint64_t (*look)(int fd))
{
    char path[4096];
    struct dirent *entry;
    uint64_t sum = 0;

    snprintf(path, sizeof path, "%s/train", folder);
    DIR *d = opendir(path);
    while (d && (entry = readdir(d))) {
        snprintf(path, sizeof path, "%s/train/%s", folder, entry->d_name);
        int fd = entry->d_name[0] == '.' ? -1 : open(path, O_RDONLY);
        if (fd < 0)
            continue;
        sum += look(fd);
        close(fd);
    }
    if (d)
        closedir(d);
    return sum;
}

static uint64_t drop(int fd)
{
    fdatasync(fd);
    return posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) == 0;
}

static uint64_t slurp(int fd)
{
    static char buf[4 << 20];
    uint64_t sum = 0;
    ssize_t n;

    while ((n = read(fd, buf, sizeof buf)) > 0)
        sum += (uint64_t)n;
    return sum;
}

static uint64_t read_all(struct dataset *d, struct err *e)
{
    const struct dataset_info *i = dataset_info(d);
    void *cube = malloc(i->values * sizeof(float));
    uint64_t sum = 0, bytes;
    float y[DATASET_LABELS];

    for (uint64_t s = 0; s < i->samples; s++) {
        if (dataset_read(d, s, cube, y, &bytes, e) < 0)
            break;
        sum += bytes;
    }
    free(cube);
    return sum;
}

static uint64_t load_all(struct dataset *d, struct err *e)
{
    struct loader_options o = {
        .data = d, .size = 1, .batch = 8, .seed = 1, .shuffle = true, .now = now};
    struct loader_batch b;
    struct loader_stats s = {0};
    struct loader *l = loader_create(&o, e);

    if (!l)
        return 0;
    while (loader_next(l, &b, e) > 0)
        ;
    loader_stats(l, &s);
    loader_destroy(l);
    return s.read_bytes;
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;

    if (argc < 4) {
        fputs("usage: loader_bench raw|read|loader DIR EDGE [cold]\n", stderr);
        return 2;
    }
    struct dataset *d = dataset_open(argv[2], DATASET_TRAIN, atoi(argv[3]), &e);
    if (!d) {
        fprintf(stderr, "loader_bench: %s\n", e.text);
        return 3;
    }
    if (argc > 4)
        each_file(argv[2], drop);
    double start = now();
    uint64_t bytes = strcmp(argv[1], "raw") == 0    ? each_file(argv[2], slurp)
                     : strcmp(argv[1], "read") == 0 ? read_all(d, &e)
                                                    : load_all(d, &e);
    double seconds = now() - start;
    const struct dataset_info *i = dataset_info(d);
    double decoded = (double)i->samples * (double)i->values *
                     (i->type == DATASET_INT16 ? sizeof(int16_t) : sizeof(float));
    printf("%s %.3f %.3f\n", argv[1], (double)bytes / seconds / 1e9, decoded / seconds / 1e9);
    if (e.text[0])
        fprintf(stderr, "loader_bench: %s\n", e.text);
    dataset_close(d);
    return e.text[0] != '\0';
}
