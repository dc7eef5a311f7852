/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * loader_bench raw|floats|inflate|read|loader DIR EDGE THREADS [cold]
 *
 * The training part of a set, in GB/s of decoded cubes as they are stored:
 *   raw      every file from its first byte to its last by read(2); its
 *            stored bytes count as what they decode to
 *   floats   the same in pieces that the cache holds, each widened from int16 to
 *            float into a batch: the least that a reader does which hands over
 *            what a network takes (two bytes are written for each that is read)
 *   inflate  the cubes' chunks, as HDF5 deflates them, out of memory and into
 *            a buffer that stays: the best that inflating can give
 *   read     dataset_read(): checked, decoded
 *   loader   batches of 2 through the loader with so many workers, as a
 *            trainer gets them
 * Memory is touched before the clock starts, in every mode: raw, floats, inflate
 * and read go over the set once before; of the loader's epochs the first counts
 * only when cold, and then without the batches that touch the queue.
 * With LOADER_BENCH_CPU in the environment a second is one of processor time,
 * of all threads together: for machines that are never quiet.
 * cold: the files are dropped from this machine's page cache first (a file
 * server's own cache stays as it is).
 */
#include <config.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <zlib.h>

#include "reports/core/clock.h"
#include "workloads/component/cosmo_convert.h"
#include "workloads/data/chunk.h"
#include "workloads/data/inflate.h"
#include "workloads/data/loader.h"

enum {
    MAX_FILES = 4096,
    MAX_THREADS = 64,
    BATCH = 2,
    AHEAD = 2,
    EPOCHS = 3,           /* that are timed, when warm */
    BUFFER = 4 << 20,     /* of raw */
    PIECE = 256 << 10,    /* of floats */
    CHUNK = 2 << 20,      /* of a cube, as the generator's */
    LEVEL = 6,            /* likewise */
    INFLATED_SAMPLES = 4, /* that are enough */
};

struct chunk {
    void *stored;
    size_t stored_bytes, bytes;
};

/* What all threads share. */
struct job {
    struct dataset *data;
    char *files[MAX_FILES];
    long n_files;
    struct chunk *chunks;
    long n_chunks;
    long n, next; /* pieces of work */
    void (*piece)(struct job *j, void *own, long i);
};

/* A thread's own. */
struct own {
    struct job *job;
    char *buffer;
    size_t bytes; /* of it */
    struct inflate *inflate;
    struct chunk_scratch scratch;
};

static double now(void)
{
    return getenv("LOADER_BENCH_CPU") ? clock_cpu() : clock_now();
}

static void die(const char *what)
{
    fprintf(stderr, "loader_bench: %s\n", what);
    exit(1);
}

static void list_files(struct job *j, const char *folder)
{
    char path[4096];
    struct dirent *entry;

    snprintf(path, sizeof path, "%s/train", folder);
    DIR *d = opendir(path);
    while (d && (entry = readdir(d)) && j->n_files < MAX_FILES) {
        snprintf(path, sizeof path, "%s/train/%s", folder, entry->d_name);
        if (entry->d_name[0] != '.')
            j->files[j->n_files++] = strdup(path);
    }
    if (d)
        closedir(d);
}

static void drop(const struct job *j)
{
    for (long i = 0; i < j->n_files; i++) {
        int fd = open(j->files[i], O_RDONLY);
        fdatasync(fd);
        if (posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED) != 0)
            die("the page cache cannot be dropped here");
        close(fd);
    }
}

static void raw_piece(struct job *j, void *own, long i)
{
    struct own *o = own;
    int fd = open(j->files[i], O_RDONLY);

    while (fd >= 0 && read(fd, o->buffer, BUFFER) > 0)
        ;
    close(fd);
}

static void floats_piece(struct job *j, void *own, long i)
{
    static _Thread_local int16_t piece[PIECE / sizeof(int16_t)];
    struct own *o = own;
    float *batch = (float *)(void *)o->buffer;
    const size_t room = o->bytes / sizeof(float);
    int fd = open(j->files[i], O_RDONLY);
    size_t at = 0;
    ssize_t n;

    while (fd >= 0 && (n = read(fd, piece, PIECE)) > 0) {
        const size_t values = (size_t)n / sizeof(int16_t);
        if (at + values > room) /* a file has its labels too */
            at = 0;
        for (size_t k = 0; k < values; k++)
            batch[at + k] = piece[k];
        at += values;
    }
    close(fd);
}

static void inflate_piece(struct job *j, void *own, long i)
{
    const struct chunk *c = &j->chunks[i];
    struct own *o = own;

    if (inflate_run(o->inflate, c->stored, c->stored_bytes, o->buffer, c->bytes) != (long)c->bytes)
        die("a chunk does not inflate");
}

static void read_piece(struct job *j, void *own, long i)
{
    struct own *o = own;
    struct err e = ERR_INIT;

    if (dataset_read_with(j->data, &o->scratch, (uint64_t)i, o->buffer, NULL, NULL, &e) < 0)
        die(e.text);
}

static void *work(void *arg)
{
    struct own *o = arg;
    struct job *j = o->job;

    for (long i; (i = __atomic_fetch_add(&j->next, 1, __ATOMIC_RELAXED)) < j->n;)
        j->piece(j, o, i);
    return NULL;
}

static double pass(struct job *j, struct own *own, int threads)
{
    pthread_t thread[MAX_THREADS];
    double start = now();

    j->next = 0;
    for (int i = 1; i < threads; i++)
        if (pthread_create(&thread[i], NULL, work, &own[i]) != 0)
            die("no thread");
    work(&own[0]);
    for (int i = 1; i < threads; i++)
        pthread_join(thread[i], NULL);
    return now() - start;
}

/* Seconds of a pass over all pieces, memory touched. */
static double steady(struct job *j, int threads, size_t buffer, bool cold)
{
    struct own own[MAX_THREADS] = {0};

    for (int i = 0; i < threads; i++) {
        own[i].job = j;
        own[i].buffer = aligned_alloc(64, (buffer + 63) / 64 * 64);
        own[i].bytes = buffer;
        own[i].inflate = inflate_create(false);
        memset(own[i].buffer, 1, buffer);
    }
    pass(j, own, threads);
    if (cold)
        drop(j);
    double seconds = pass(j, own, threads);
    for (int i = 0; i < threads; i++) {
        free(own[i].buffer);
        inflate_destroy(own[i].inflate);
        chunk_scratch_fini(&own[i].scratch);
    }
    return seconds;
}

/* Of a cube alone, decoded. */
static size_t cube_size(const struct dataset_info *i)
{
    const struct dataset_field *x = &i->field[COSMO_X];

    return (size_t)x->values * (x->type == NUMBER_INT16 ? sizeof(int16_t) : sizeof(float));
}

/* The chunks of the first samples as HDF5 stores them. */
static void make_chunks(struct job *j, size_t cube_bytes, long samples)
{
    const long per = (long)((cube_bytes + CHUNK - 1) / CHUNK);
    char *cube = aligned_alloc(64, dataset_info(j->data)->sample_bytes);
    struct err e = ERR_INIT;

    j->n_chunks = samples * per;
    j->chunks = calloc((size_t)j->n_chunks, sizeof *j->chunks);
    for (long i = 0; i < j->n_chunks; i++) {
        struct chunk *c = &j->chunks[i];
        const size_t at = (size_t)(i % per) * CHUNK;
        if (i % per == 0 && dataset_read(j->data, (uint64_t)(i / per), cube, NULL, &e) < 0)
            die(e.text);
        c->bytes = cube_bytes - at < CHUNK ? cube_bytes - at : CHUNK;
        uLongf n = compressBound(c->bytes);
        c->stored = malloc(n);
        if (compress2(c->stored, &n, (unsigned char *)cube + at, c->bytes, LEVEL) != Z_OK)
            die("a chunk does not deflate");
        c->stored_bytes = n;
    }
    free(cube);
}

/* Samples per second in steady state. */
static double loader_rate(const struct job *j, int workers, bool cold)
{
    const struct dataset_field *x = &dataset_info(j->data)->field[COSMO_X];
    static const struct cosmo_norm plain; /* log(1 + count) */
    struct convert convert;
    struct loader_options o = {.data = j->data,
                               .feed = {.n = 2,
                                        .floats = {x->values, COSMO_PARAMETERS},
                                        .slabs = true,
                                        .make = convert_sample,
                                        .ctx = &convert},
                               .size = 1,
                               .batch = BATCH,
                               .seed = 1,
                               .shuffle = true,
                               .ahead = AHEAD,
                               .workers = workers,
                               .now = now};
    struct loader_batch b;
    struct err e = ERR_INIT;
    double start = 0;
    long samples = 0;

    if (convert_init(&convert, x->dims[0], x->type, &plain, &e) < 0)
        die(e.text);
    if (cold)
        drop(j);
    struct loader *l = loader_create(&o, &e);
    for (int epoch = 0; l && epoch < (cold ? 1 : 1 + EPOCHS); epoch++)
        for (int got; (got = loader_next(l, &b, &e)) != 0;) {
            if (got < 0)
                die(e.text);
            if (start != 0)
                samples += b.n;
            else if (cold ? b.step == AHEAD : b.step == b.steps - 1)
                start = now();
        }
    if (samples == 0)
        die(l ? "too few samples" : e.text);
    double rate = (double)samples / (now() - start);
    loader_destroy(l);
    convert_fini(&convert);
    return rate;
}

static double rate_of(struct job *j, const char *mode, int threads, bool cold)
{
    const struct dataset_info *i = dataset_info(j->data);
    const size_t cube = cube_size(i);
    const long few = i->samples < INFLATED_SAMPLES ? (long)i->samples : INFLATED_SAMPLES;
    double samples = (double)i->samples;
    size_t buffer = i->sample_bytes;

    if (strcmp(mode, "loader") == 0)
        return loader_rate(j, threads, cold);
    if (strcmp(mode, "raw") == 0) {
        j->piece = raw_piece;
        j->n = j->n_files;
        buffer = BUFFER;
    } else if (strcmp(mode, "floats") == 0) {
        j->piece = floats_piece;
        j->n = j->n_files;
        buffer = BATCH * cube * sizeof(float) / sizeof(int16_t);
    } else if (strcmp(mode, "read") == 0) {
        j->piece = read_piece;
        j->n = (long)i->samples;
    } else {
        make_chunks(j, cube, few);
        j->piece = inflate_piece;
        j->n = j->n_chunks;
        samples = (double)few;
        buffer = CHUNK;
    }
    return samples / steady(j, threads, buffer, cold);
}

int main(int argc, char **argv)
{
    static struct job j;
    struct err e = ERR_INIT;

    const int threads = argc > 4 ? atoi(argv[4]) : 0;
    if (threads < 1 || threads > MAX_THREADS) {
        fputs("usage: loader_bench raw|floats|inflate|read|loader DIR EDGE THREADS [cold]\n",
              stderr);
        return 2;
    }
    const long edge = atoi(argv[3]);
    const struct data_class cubes = {.size = {0, edge, edge, edge}};
    j.data = dataset_open(argv[2], DATASET_TRAIN, &science_cosmo, &cubes, &e);
    if (!j.data)
        die(e.text);
    list_files(&j, argv[2]);
    const double rate = rate_of(&j, argv[1], threads, argc > 5);
    printf("%s %.3f\n", argv[1], rate * (double)cube_size(dataset_info(j.data)) / 1e9);
    dataset_close(j.data);
    return 0;
}
