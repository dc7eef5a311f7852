/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The cache with ranks played by threads and a generator played by this
 * program itself: started with a run text it makes a set of the class's
 * number of files, of one byte each.
 */
#include <config.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "reports/core/clock.h"
#include "reports/core/sha256.h"
#include "tests/workloads/data/fixture.h"
#include "tests/workloads/engine/ranks.h"
#include "workloads/data/cache.h"
#include "workloads/data/manifest.h"
#include "workloads/data/science_cosmo.h"

/* Where the set of a class lies below the cache. */
static const char *set_name(enum runspec_class class)
{
    static char name[64];

    snprintf(name, sizeof name, "cosmo-%s-g%d-s1", runspec_class_name(class),
             science_cosmo.version);
    return name;
}

/* The fake's orders and its log lie beside the set. */
static int play_generator(const char *out)
{
    const struct data_class *c = science_class(&science_cosmo, CLASS_TINY);
    char partial[600], path[700], folder[500];
    struct manifest m = {.science = "cosmo",
                         .class_name = "tiny",
                         .layout = "cut",
                         .generator = science_cosmo.version,
                         .build = "b",
                         .seed = science_cosmo.seed,
                         .train = (uint64_t)c->train,
                         .validation = (uint64_t)c->validation,
                         .train_samples = (uint64_t)c->train,
                         .validation_samples = (uint64_t)c->validation};
    struct sha256 s;

    snprintf(folder, sizeof folder, "%s", out);
    *strrchr(folder, '/') = '\0';
    snprintf(path, sizeof path, "%s/runs", folder);
    FILE *f = fopen(path, "a");
    fputs("x", f);
    fclose(f);
    snprintf(path, sizeof path, "%s/fail", folder);
    if (access(path, F_OK) == 0) {
        fputs("fake: the disk is full\n", stderr);
        return 1;
    }
    snprintf(path, sizeof path, "%s/hang", folder);
    while (access(path, F_OK) == 0)
        usleep(1000);
    snprintf(partial, sizeof partial, "%s.partial", out);
    mkdir(partial, 0777);
    m.n_files = m.train + m.validation;
    m.files = calloc(m.n_files, sizeof *m.files);
    for (uint64_t i = 0; i < m.n_files; i++) {
        struct manifest_file *file = &m.files[i];
        snprintf(file->path, sizeof file->path, "%s/f%07d", i < m.train ? "train" : "validation",
                 (int)i);
        file->bytes = 1;
        sha256_init(&s);
        sha256_add(&s, "x", 1);
        sha256_hex(&s, file->sha256);
        if (i == 0 || i == m.train) {
            snprintf(path, sizeof path, "%s/%s", partial, i ? "validation" : "train");
            mkdir(path, 0777);
        }
        snprintf(path, sizeof path, "%s/%s", partial, file->path);
        f = fopen(path, "w");
        fputs("x", f);
        fclose(f);
    }
    fputs("fake: half\nfake: all\n", stderr);
    snprintf(path, sizeof path, "%s/%s", partial, MANIFEST_NAME);
    f = fopen(path, "w");
    manifest_write(&m, f);
    fclose(f);
    manifest_fini(&m);
    return rename(partial, out) == 0 ? 0 : 1;
}

static char program[400], root[256];

/* One test's run: what the ranks are given and what they answer. */
struct job {
    bool apart; /* every rank has a cache of its own */
    const struct science *science;
    const char *workload;
    enum runspec_class class;
    double deadline;
    const char *generator;
    char said[4096];
    char sentence[RANKS_MAX][512];
    char path[RANKS_MAX][600];
    double made_seconds[RANKS_MAX];
    int rc[RANKS_MAX];
};

static void hear(void *ctx, const char *sentence)
{
    struct job *j = ctx;
    size_t n = strlen(j->said);

    snprintf(j->said + n, sizeof j->said - n, "%s\n", sentence);
}

static void cache_dir(const struct job *j, int rank, char path[300])
{
    snprintf(path, 300, "%s/cache%d", root, j->apart ? rank : 0);
}

static int one_rank(struct comm *c, void *arg)
{
    struct job *j = arg;
    char cache[300];
    struct err e = ERR_INIT;
    struct cache_order order = {.comm = c,
                                .now = clock_now,
                                .threads = 2,
                                .deadline = j->deadline,
                                .folder = cache,
                                .workload = j->workload,
                                .generator = j->generator,
                                .ctx = j,
                                .say = hear};

    if (j->apart)
        c->local_rank = 0;
    cache_dir(j, c->rank, cache);
    j->rc[c->rank] = cache_prepare(&order, j->science, j->class, j->path[c->rank],
                                   sizeof j->path[0], &j->made_seconds[c->rank], &e);
    strcpy(j->sentence[c->rank], e.text);
    return j->rc[c->rank];
}

static int setup(void **state)
{
    static struct job j;

    fixture_folder(root);
    j = (struct job){.science = &science_cosmo,
                     .workload = "cosmoflow",
                     .class = CLASS_TINY,
                     .generator = program,
                     .deadline = clock_now() + 120};
    *state = &j;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    fixture_remove(root);
    return 0;
}

/* How many generators ran in a rank's cache. */
static long runs(const struct job *j, int rank)
{
    char cache[300], path[400];
    struct stat st;

    cache_dir(j, rank, cache);
    snprintf(path, sizeof path, "%s/runs", cache);
    return stat(path, &st) == 0 ? (long)st.st_size : 0;
}

static void order(const char *name)
{
    char path[400];

    snprintf(path, sizeof path, "%s/cache0", root);
    mkdir(path, 0777);
    snprintf(path, sizeof path, "%s/cache0/%s", root, name);
    close(open(path, O_CREAT | O_WRONLY, 0666));
}

/* Nothing but the set, its lock and the fake's own files is left. */
static void assert_tidy(const struct job *j, int rank)
{
    char cache[300];
    struct dirent *entry;

    cache_dir(j, rank, cache);
    DIR *d = opendir(cache);
    assert_non_null(d);
    while ((entry = readdir(d)))
        if (entry->d_name[0] == '.' && entry->d_name[1] != '.' && entry->d_name[1] != '\0')
            fail_msg("%s was left in the cache", entry->d_name);
    closedir(d);
}

static void made_once_for_all_who_share(void **state)
{
    struct job *j = *state;
    char want[400];
    struct err e = ERR_INIT;

    assert_int_equal(ranks_run(3, one_rank, j), 0);
    assert_int_equal(runs(j, 0), 1);
    assert_true(cache_ready(j->path[2], &science_cosmo, CLASS_TINY, &e));
    snprintf(want, sizeof want, "data cache %s/cache0: one file system, shared by all 3 ranks\n",
             root);
    assert_non_null(strstr(j->said, want));
    assert_non_null(strstr(j->said, "fake: half\nfake: all\n"));
    assert_tidy(j, 0);
    for (int r = 0; r < 3; r++)
        assert_true(j->made_seconds[r] > 0); /* they waited as long as it was made */
    j->said[0] = '\0';
    assert_int_equal(ranks_run(2, one_rank, j), 0); /* the next run says nothing */
    assert_true(j->made_seconds[0] == 0 && j->made_seconds[1] == 0);
    assert_int_equal(runs(j, 0), 1);
    assert_string_equal(j->said, "");
}

static void made_once_on_each_file_system(void **state)
{
    struct job *j = *state;

    j->apart = true;
    assert_int_equal(ranks_run(3, one_rank, j), 0);
    for (int r = 0; r < 3; r++) {
        assert_int_equal(runs(j, r), 1);
        assert_tidy(j, r);
    }
    assert_non_null(strstr(j->said, "3 file systems under that name among 3 ranks"));
}

/* One rank has it already: only the others' is made. */
static void what_is_there_stays(void **state)
{
    struct job *j = *state;

    assert_int_equal(ranks_run(1, one_rank, j), 0);
    j->apart = true;
    assert_int_equal(ranks_run(3, one_rank, j), 0);
    assert_int_equal(runs(j, 0), 1);
    assert_int_equal(runs(j, 2), 1);
}

/* The set is the science's, not the workload's; another version of the
 * generator, another seed and another science have sets of their own. */
static void workloads_of_one_science_share_a_set(void **state)
{
    static const struct {
        int version, seed, layout; /* more than cosmo's */
        const char *name, *folder;
    } rows[] = {
        {1, 0, 0, "cosmo", "c/cosmo-tiny-g4-s1"},
        {0, 1, 0, "cosmo", "c/cosmo-tiny-g3-s2"},
        {0, 0, 1, "cosmo", "c/cosmo-tiny-g3-s1"},
        {0, 0, 0, "fields", "c/fields-tiny-g3-s1"},
    };
    struct job *j = *state;
    struct err e = ERR_INIT;
    char kept[600], path[64], want[100];

    assert_int_equal(ranks_run(1, one_rank, j), 0);
    strcpy(kept, j->path[0]);
    j->workload = "cosmogan";
    assert_int_equal(ranks_run(2, one_rank, j), 0);
    assert_string_equal(j->path[1], kept);
    assert_int_equal(runs(j, 0), 1);
    assert_true(cache_ready(kept, &science_cosmo, CLASS_TINY, &e));
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) { /* whose manifest this is not */
        struct science other = science_cosmo;
        other.version += rows[i].version;
        other.seed += (uint64_t)rows[i].seed;
        other.layouts += rows[i].layout;
        other.name = rows[i].name;
        assert_false(cache_ready(kept, &other, CLASS_TINY, &e));
        snprintf(want, sizeof want, "not the manifest of the %s data of class tiny", other.name);
        assert_non_null(strstr(e.text, want));
        assert_int_equal(cache_path("c", &other, CLASS_TINY, path, sizeof path, &e), 0);
        assert_string_equal(path, rows[i].folder);
    }
}

static void *second_job(void *arg)
{
    ranks_run(2, one_rank, arg);
    return NULL;
}

static void two_jobs_do_not_collide(void **state)
{
    struct job *j = *state;
    struct job other = *j;
    pthread_t thread;

    order("hang");
    pthread_create(&thread, NULL, second_job, &other);
    usleep(500000); /* the order of the two does not matter to what is asserted */
    char path[400];
    snprintf(path, sizeof path, "%s/cache0/hang", root);
    unlink(path);
    assert_int_equal(ranks_run(2, one_rank, j), 0);
    pthread_join(thread, NULL);
    assert_int_equal(other.rc[0] | other.rc[1], 0);
    assert_int_equal(runs(j, 0), 1);
}

/* Held by someone who never ends: the deadline ends the wait, on all ranks. */
static void the_deadline_ends_the_wait(void **state)
{
    struct job *j = *state;
    char path[400];

    order("runs");
    snprintf(path, sizeof path, "%s/cache0/%s.lock", root, set_name(CLASS_TINY));
    int fd = open(path, O_CREAT | O_RDWR, 0666);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    j->deadline = clock_now() + 0.5;
    assert_int_equal(ranks_run(3, one_rank, j), 3);
    for (int r = 0; r < 3; r++)
        assert_string_equal(
            j->sentence[r],
            "stopped or out of time while the data of cosmoflow, class tiny, were made");
    assert_non_null(strstr(j->said, "another job makes "));
    assert_int_equal(runs(j, 0), 0);
    close(fd);
}

static void a_failing_generator_is_everybody_s_failure(void **state)
{
    struct job *j = *state;

    order("fail");
    assert_int_equal(ranks_run(3, one_rank, j), 3);
    for (int r = 0; r < 3; r++)
        assert_string_equal(j->sentence[r],
                            "rank 0: the data generator failed: fake: the disk is full");
    assert_tidy(j, 0);
    j->generator = "/no/such/generator";
    assert_int_equal(ranks_run(1, one_rank, j), 1);
    assert_string_equal(j->sentence[0], "/no/such/generator: No such file or directory");
    j->generator = NULL;
    assert_int_equal(ranks_run(1, one_rank, j), 1);
    assert_non_null(strstr(j->sentence[0], "is missing, and so is the generator"));
}

/* A stopped wait takes the generator with it. */
static void a_hanging_generator_is_ended(void **state)
{
    struct job *j = *state;

    order("hang");
    j->deadline = clock_now() + 1;
    assert_int_equal(ranks_run(2, one_rank, j), 2);
    assert_int_equal(runs(j, 0), 1);
    char path[400];
    snprintf(path, sizeof path, "%s/cache0/%s", root, set_name(CLASS_TINY));
    assert_int_equal(access(path, F_OK), -1);
}

static void damage_is_seen_and_named(void **state)
{
    struct job *j = *state;
    char path[700], want[1600];
    struct err e = ERR_INIT;

    assert_int_equal(ranks_run(1, one_rank, j), 0);
    snprintf(path, sizeof path, "%s/train/f0000500", j->path[0]);
    assert_int_equal(truncate(path, 0), 0);
    assert_false(cache_ready(j->path[0], &science_cosmo, CLASS_TINY, &e));
    snprintf(want, sizeof want, "%s: 0 bytes, expected 1", path);
    assert_string_equal(e.text, want);
    assert_int_equal(ranks_run(1, one_rank, j), 1);
    assert_non_null(strstr(j->sentence[0], "to have it made again"));
    assert_int_equal(runs(j, 0), 1);
    assert_false(cache_ready(j->path[0], &science_cosmo, CLASS_SMALL, &e));
}

/* In a cache that many may write a name can be made first by anybody. */
static void what_somebody_else_put_there_is_refused(void **state)
{
    struct job *j = *state;
    char lock[700], kept[700];
    struct err e = ERR_INIT;

    if (geteuid() != 0)
        skip();
    assert_int_equal(ranks_run(1, one_rank, j), 0);
    snprintf(lock, sizeof lock, "%s.lock", j->path[0]);
    snprintf(kept, sizeof kept, "%s.kept", j->path[0]);
    assert_int_equal(chown(j->path[0], 65534, 65534), 0);
    assert_false(cache_ready(j->path[0], &science_cosmo, CLASS_TINY, &e));
    assert_non_null(strstr(e.text, "belongs to user 65534, who could change it; have it removed"));
    assert_int_equal(ranks_run(1, one_rank, j), 1);
    assert_non_null(strstr(j->sentence[0], "belongs to user 65534"));
    assert_int_equal(chown(j->path[0], 0, 0), 0);
    assert_int_equal(rename(j->path[0], kept), 0);
    assert_int_equal(symlink(kept, j->path[0]), 0);
    assert_false(cache_ready(j->path[0], &science_cosmo, CLASS_TINY, &e));
    assert_non_null(strstr(e.text, "is not a folder: somebody put something else there"));
    assert_int_equal(unlink(j->path[0]), 0);
    /* a lock that is a link is not followed and holds nobody */
    unlink(lock);
    assert_int_equal(symlink("/dev/null/x", lock), 0);
    assert_int_equal(ranks_run(1, one_rank, j), 0);
    assert_int_equal(unlink(lock), 0);
    assert_int_equal(runs(j, 0), 2);
    char command[800];
    snprintf(command, sizeof command, "rm -r '%s'", kept);
    assert_int_equal(system(command), 0);
}

static void standard_is_not_made_silently(void **state)
{
    struct job *j = *state;
    char want[900];

    j->class = CLASS_STANDARD;
    assert_int_equal(ranks_run(2, one_rank, j), 2);
    snprintf(
        want, sizeof want,
        "rank 0: no data of class standard in %s/cache0/%s; make them (1.8 TB, 655 core-hours) "
        "with: hpcai500 data generate cosmoflow,class=standard --out %s/cache0/%s -j N",
        root, set_name(CLASS_STANDARD), root, set_name(CLASS_STANDARD));
    assert_string_equal(j->sentence[1], want);
    assert_int_equal(runs(j, 0), 0);
    j->class = CLASS_AUTO;
    assert_int_equal(ranks_run(1, one_rank, j), 1);
    assert_string_equal(j->sentence[0], "the cosmo data have no class auto");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
#define ROW(t) cmocka_unit_test_setup_teardown(t, setup, teardown)
        ROW(made_once_for_all_who_share),
        ROW(made_once_on_each_file_system),
        ROW(what_is_there_stays),
        ROW(workloads_of_one_science_share_a_set),
        ROW(two_jobs_do_not_collide),
        ROW(the_deadline_ends_the_wait),
        ROW(a_failing_generator_is_everybody_s_failure),
        ROW(a_hanging_generator_is_ended),
        ROW(damage_is_seen_and_named),
        ROW(what_somebody_else_put_there_is_refused),
        ROW(standard_is_not_made_silently),
#undef ROW
    };

    if (argc > 3 && strcmp(argv[1], "cosmoflow,class=tiny,seed=1") == 0)
        return play_generator(argv[3]);
    if (readlink("/proc/self/exe", program, sizeof program - 1) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
