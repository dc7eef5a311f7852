/* SPDX-License-Identifier: BSD-3-Clause */
/* Journals: framing, torn tails, and the record that they leave. */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cjson/cJSON.h>

#include "reports/core/crc32c.h"
#include "reports/record/journal.h"
#include "reports/core/sha256.h"
#include "tests/reports/record/sample.h"
#include "tests/unit.h"

static char dir[64], folder[128];

static int make_dir(void **state)
{
    (void)state;
    snprintf(dir, sizeof dir, "/tmp/hpcai500-test.XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    snprintf(folder, sizeof folder, "%s/lab-4711.0.3.journal", dir);
    return 0;
}

static const char *journal_of(int rank)
{
    static char path[192];
    snprintf(path, sizeof path, "%s/%05d", folder, rank);
    return path;
}

static int drop_dir(void **state)
{
    (void)state;
    for (int k = 0; k < 16; k++)
        unlink(journal_of(k));
    rmdir(folder);
    return rmdir(dir);
}

/* CRC-32C of RFC 3720, B.4, and of the usual check string, whole and in two. */
static void test_crc(void **state)
{
    unsigned char bytes[32] = {0};
    (void)state;

    assert_int_equal(crc32c(0, "123456789", 9), 0xe3069283);
    assert_int_equal(crc32c(crc32c(0, "1234", 4), "56789", 5), 0xe3069283);
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x8a9136aa);
    memset(bytes, 0xff, sizeof bytes);
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x62a8ab43);
    for (int i = 0; i < 32; i++)
        bytes[i] = (unsigned char)i;
    assert_int_equal(crc32c(0, bytes, sizeof bytes), 0x46dd794e);
    /* by words, by bytes, from anywhere */
    for (size_t k = 0; k <= sizeof bytes; k++)
        assert_int_equal(crc32c(crc32c(0, bytes, k), bytes + k, sizeof bytes - k), 0x46dd794e);
}

/* What rank `rank` of 4 on two nodes writes until `stop`. */
enum stop { AT_START, IN_EPOCH, AT_RESULT, AT_END };

static struct journal *begin(int rank, struct record *r)
{
    struct err e = ERR_INIT;
    struct journal *j = journal_open(dir, "lab-4711.0.3", rank, &e);

    assert_non_null(j);
    assert_int_equal(journal_start(j, r, rank, 4, &r->nodes[rank % 2], &e), 0);
    return j;
}

static struct journal *tell(int rank, enum stop stop)
{
    struct record r;
    struct err e = ERR_INIT;
    struct workload_result w = sample_result(4, 0);
    double seconds[PHASE_COUNT] = {1, 2, 3, 4, 5, 6, 7, 8, [PHASE_OTHER] = 9};

    sample_record(&r, 4, 2, 3);
    struct journal *j = begin(rank, &r);
    if (stop >= IN_EPOCH) {
        w.status = RUN_PARTIAL;
        assert_int_equal(journal_workload(j, 0, &w, &e), 0);
        for (int i = 1; i <= 2; i++) {
            struct result_epoch row = {i, 8.5, NAN, 0.5, measured(0.25), i == 1 ? NAN : 0.4375};
            assert_int_equal(journal_epoch(j, 0, &row, &e), 0);
        }
        assert_int_equal(journal_phases(j, 0, 45 + rank, seconds, &e), 0);
    }
    if (stop >= AT_RESULT) {
        struct workload_result end = sample_result(4, 3);
        memcpy(end.phase_seconds, seconds, sizeof seconds);
        end.wall_seconds = 45;
        end.profile.n_operators = 3; /* short lines: one test cuts them everywhere */
        assert_int_equal(journal_result(j, 0, &end, &e), 0);
        result_fini(&end);
    }
    if (stop >= AT_END)
        assert_int_equal(journal_end(j, RUN_COMPLETE, &e), 0);
    result_fini(&w);
    record_fini(&r);
    return j;
}

static int count(void *ctx, const char *json)
{
    assert_int_equal(json[0], '{');
    assert_int_equal(json[strlen(json) - 1], '}');
    ++*(int *)ctx;
    return 0;
}

/* Cut at every byte: every whole line before the cut is read, no other. */
static void test_torn(void **state)
{
    struct err e = ERR_INIT;
    char text[65536];
    long torn;
    int lines = 0;
    (void)state;

    journal_close(tell(0, AT_END));
    long whole = journal_read(journal_of(0), count, &lines, &torn, &e);
    assert_int_equal(whole, 7);
    assert_int_equal(lines, 7);
    assert_int_equal(torn, -1);
    FILE *f = fopen(journal_of(0), "r");
    size_t size = fread(text, 1, sizeof text, f);
    fclose(f);
    assert_true(size > 1000 && size < sizeof text);
    size_t begin_of_line = 0, expected = 0;
    for (size_t cut = 0; cut < size; cut++) {
        if (cut && text[cut - 1] == '\n') {
            begin_of_line = cut;
            expected++;
        }
        assert_int_equal(truncate(journal_of(0), (off_t)0), 0);
        f = fopen(journal_of(0), "w");
        fwrite(text, 1, cut, f);
        fclose(f);
        lines = 0;
        assert_int_equal(journal_read(journal_of(0), count, &lines, &torn, &e), expected);
        assert_int_equal(lines, expected);
        assert_int_equal(torn, cut == begin_of_line ? -1 : (long)begin_of_line);
    }
}

/* One bit that flips ends the journal there, wherever it is. */
static void test_flipped(void **state)
{
    struct err e = ERR_INIT;
    long torn;
    (void)state;

    journal_close(tell(0, AT_END));
    struct stat st;
    assert_int_equal(stat(journal_of(0), &st), 0);
    int fd = open(journal_of(0), O_RDWR);
    for (off_t at = 0; at < st.st_size; at += 7) {
        char c;
        int lines = 0;
        assert_int_equal(pread(fd, &c, 1, at), 1);
        c ^= 1 << at % 7;
        assert_int_equal(pwrite(fd, &c, 1, at), 1);
        long n = journal_read(journal_of(0), count, &lines, &torn, &e);
        assert_true(n < 7 && torn >= 0 && torn <= at);
        c ^= 1 << at % 7;
        assert_int_equal(pwrite(fd, &c, 1, at), 1);
    }
    close(fd);
}

static const char *reason_of(const struct record *r, const char *path)
{
    for (int i = 0; i < r->n_reasons; i++)
        if (strcmp(r->reasons[i].path, path) == 0)
            return r->reasons[i].text;
    return "";
}

static void recover(struct record *r)
{
    struct err e = ERR_INIT;
    char path[PATH_MAX];

    record_init(r);
    assert_int_equal(record_from_journals(folder, r, &e), 0);
    assert_int_equal(record_write(r, dir, path, &e), 0);
    cJSON *doc = record_read(path, &e);
    assert_non_null(doc);
    cJSON_Delete(doc);
}

static void remove_record(void)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%s/lab-4711.0.3.json", dir);
    assert_int_equal(unlink(path), 0);
    snprintf(path, sizeof path, "%s/lab-4711.0.3.ranks.json.gz", dir);
    unlink(path);
}

/* Rank 0 died in an epoch; rank 2 says so; rank 3 has a torn line. */
static void test_recover(void **state)
{
    struct record r;
    struct err e = ERR_INIT;
    (void)state;

    journal_close(tell(0, IN_EPOCH));
    journal_close(tell(1, IN_EPOCH));
    struct journal *j = tell(2, IN_EPOCH);
    journal_failure(j, 0, "n1", "no answer for 60 s in compute", &e);
    journal_end(j, RUN_PARTIAL, &e);
    journal_close(j);
    journal_close(tell(3, IN_EPOCH));
    struct stat st;
    assert_int_equal(stat(journal_of(3), &st), 0);
    assert_int_equal(truncate(journal_of(3), st.st_size - 5), 0);

    recover(&r);
    assert_int_equal(r.status, RUN_PARTIAL);
    assert_false(r.valid);
    const char *why = reason_of(&r, "status");
    assert_non_null(strstr(why, "rank 0 on n1: no answer for 60 s in compute"));
    assert_non_null(strstr(why, "nothing was heard after rank 1 on n2 in cosmoflow after epoch 2"));
    assert_non_null(strstr(why, "nothing was heard after rank 0 on n1 in cosmoflow after epoch 2"));
    assert_non_null(strstr(why, "this record was made from 4 journals"));
    assert_non_null(strstr(reason_of(&r, "journal[3]"), "torn at byte"));
    assert_string_equal(r.run.text, "cosmoflow,class=tiny");
    assert_string_equal(r.job.cluster, "lab");
    assert_int_equal(r.job.array_job_id, -1);
    assert_int_equal(r.n_nodes, 2);
    assert_float_equal(r.nodes[0].inventory[INVENTORY_cores].number, 112, 0);
    assert_string_equal(r.nodes[0].inventory[INVENTORY_microcode].text,
                        "the kernel does not show it");
    assert_string_equal(r.facts[FACT_communication_mpi].text, "Open MPI v4.1.4");
    assert_int_equal(r.n_workloads, 1);
    const struct record_workload *w = &r.workloads[0];
    assert_int_equal(w->result.n_epochs, 2);
    assert_float_equal(w->result.achieved.value, 0.4375, 0);
    assert_true(isnan(w->result.epochs[0].quality));
    assert_float_equal(w->result.target, 0.34, 0);
    assert_int_equal(w->n_ranks, 4);
    assert_float_equal(w->ranks[1].wall_seconds, 46, 0);
    assert_true(isnan(w->ranks[3].wall_seconds)); /* its phases were in the torn line */
    assert_float_equal(w->ranks[2].phase_seconds[PHASE_OTHER], 9, 0);
    record_fini(&r);
    remove_record();
}

/* A workload that has ended keeps its profile, of all ranks together; one that was
 * killed keeps the last that its rank told, and the record says whose it is. */
static void test_recover_profile(void **state)
{
    struct record r;
    struct workload_result w = sample_result(4, 0);
    struct err e = ERR_INIT;
    (void)state;

    struct journal *j = tell(0, AT_RESULT);
    assert_int_equal(journal_workload(j, 1, &w, &e), 0);
    for (int i = 1; i <= 2; i++) {
        w.profile.steps = 100 * i;
        assert_int_equal(journal_profile(j, 1, &w, &e), 0);
    }
    journal_close(j);
    recover(&r);
    assert_int_equal(r.n_workloads, 2);
    const struct workload_result *whole = &r.workloads[0].result, *part = &r.workloads[1].result;
    assert_int_equal(whole->profile.steps, 100);
    assert_int_equal(whole->profile.n_operators, 3);
    assert_string_equal(reason_of(&r, "workloads[0].profile"), "");
    assert_int_equal(part->profile.steps, 200);
    assert_float_equal(part->profile.step_seconds, w.profile.step_seconds, 0);
    assert_true(part->profile.exchanged_bytes == w.profile.exchanged_bytes);
    assert_int_equal(part->profile.n_operators, w.profile.n_operators); /* those of `others`, too */
    assert_memory_equal(part->operators, w.operators,
                        (size_t)w.profile.n_operators * sizeof *w.operators);
    assert_string_equal(reason_of(&r, "workloads[1].profile"),
                        "of rank 0 alone, as far as its journal goes");
    result_fini(&w);
    record_fini(&r);
    remove_record();
}

/* A run of micro benchmarks that is killed keeps the rows it had, with their samples. */
static void test_recover_micro(void **state)
{
    double samples[] = {4, NAN, 6};
    struct measure none = unmeasured("not a collective");
    struct micro_row row = {.name = "conv",
                            .shape = "4x16x8x8 16 3x3 p1",
                            .dtype = "f32",
                            .direction = "backward_data",
                            .unit = "FLOP/s",
                            .ranks = 1,
                            .threads = 2,
                            .position = 7,
                            .index = 3,
                            .more_is_better = true,
                            .checked = true,
                            .median = measured(5),
                            .p95 = measured(4),
                            .p99 = measured(4),
                            .best = measured(6),
                            .algbw = none,
                            .busbw = none,
                            .slowest = none,
                            .run_delay = none,
                            .throttled_seconds = none,
                            .foreign_cores = none,
                            .clock_hertz = none,
                            .celsius = none,
                            .slowest_rank = -1,
                            .samples = samples,
                            .n_samples = 3};
    struct record r;
    struct err e = ERR_INIT;
    (void)state;

    sample_record(&r, 4, 2, 3);
    struct journal *j = begin(0, &r);
    assert_int_equal(journal_micro(j, &row, &e), 0);
    row.status = MICRO_FAULTY;
    snprintf(row.reason, sizeof row.reason, "rank 0 on n1 computed 1 wrong number");
    assert_int_equal(journal_micro(j, &row, &e), 0);
    journal_close(j);
    record_fini(&r);
    recover(&r);
    assert_int_equal(r.n_micro, 2);
    const struct micro_row *m = &r.micro[0];
    assert_string_equal(m->shape, row.shape);
    assert_string_equal(m->direction, "backward_data");
    assert_int_equal(m->status, MICRO_OK);
    assert_int_equal(m->position, 7);
    assert_int_equal(m->index, 3);
    assert_float_equal(m->median.value, 5, 0);
    assert_string_equal(m->busbw.reason, "not a collective");
    assert_int_equal(m->n_samples, 3);
    assert_true(m->samples[0] == 4 && isnan(m->samples[1]) && m->samples[2] == 6);
    assert_int_equal(r.micro[1].status, MICRO_FAULTY);
    assert_false(r.valid);
    assert_non_null(strstr(reason_of(&r, "valid"), "conv  4x16x8x8 16 3x3 p1: rank 0 on n1"));
    assert_non_null(
        strstr(reason_of(&r, "status"), "after 2 rows of micro benchmarks, the last of conv"));
    record_fini(&r);
    remove_record();
}

/* The best of what was evaluated is the highest, and the target is reached from below. */
static void test_recover_higher(void **state)
{
    static const double quality[] = {0.5, 0.97, 0.9};
    struct record r;
    struct err e = ERR_INIT;
    struct workload_result w = sample_result(4, 0);
    (void)state;

    sample_record(&r, 4, 2, 3);
    struct journal *j = begin(0, &r);
    w.status = RUN_PARTIAL;
    w.higher_is_better = true;
    w.target = 0.95;
    assert_int_equal(journal_workload(j, 0, &w, &e), 0);
    for (int i = 0; i < 3; i++) {
        struct result_epoch row = {i + 1,     8.5, NAN, 0.5, unmeasured("a second evaluation"),
                                   quality[i]};
        assert_int_equal(journal_epoch(j, 0, &row, &e), 0);
    }
    journal_close(j);
    record_fini(&r);
    recover(&r);
    assert_float_equal(r.workloads[0].result.achieved.value, 0.97, 0);
    assert_int_equal(r.workloads[0].result.epochs_to_target, 2);
    assert_string_equal(r.workloads[0].result.epochs[2].train_quality.reason,
                        "a second evaluation");
    record_fini(&r);
    result_fini(&w);
    remove_record();
}

/* Nobody said a word. */
static void test_crashed(void **state)
{
    struct record r;
    (void)state;

    journal_close(tell(1, AT_START));
    journal_close(tell(2, IN_EPOCH));
    recover(&r);
    assert_int_equal(r.status, RUN_CRASHED);
    const char *why = reason_of(&r, "status");
    assert_non_null(strstr(why, "nothing was heard after rank 1 on n2 before its first workload"));
    assert_non_null(strstr(why, "2 of 4 ranks left no journal here"));
    record_fini(&r);
    remove_record();
}

/* All ended well, only the record is missing: the result is whole. */
static void test_ended(void **state)
{
    struct record r;
    (void)state;

    for (int k = 0; k < 4; k++)
        journal_close(tell(k, AT_END));
    recover(&r);
    assert_int_equal(r.status, RUN_PARTIAL);
    const struct workload_result *w = &r.workloads[0].result;
    assert_int_equal(w->status, RUN_COMPLETE);
    assert_true(w->valid);
    assert_float_equal(w->achieved.value, 0.31, 0);
    assert_float_equal(w->samples_per_second.value, 61.5, 0);
    assert_int_equal(w->epochs_to_target, 3);
    assert_int_equal(w->rcp.seeds, 10);
    assert_int_equal(w->n_others, 2);
    assert_string_equal(w->others[0].name, "rmse");
    assert_float_equal(w->others[0].value.value, 0.42, 0);
    assert_float_equal(w->others[0].target, 0.45, 0);
    assert_string_equal(w->others[1].value.reason, "no class in the set");
    assert_true(isnan(w->others[1].target) && w->others[1].higher_is_better);
    record_fini(&r);
    remove_record();
}

static void test_nothing(void **state)
{
    struct record r;
    struct err e = ERR_INIT;
    char want[256];
    (void)state;

    record_init(&r);
    assert_int_equal(record_from_journals(folder, &r, &e), -1);
    snprintf(want, sizeof want, "%s: No such file or directory", folder);
    assert_string_equal(e.text, want);
    assert_int_equal(mkdir(folder, 0700), 0);
    close(open(journal_of(3), O_WRONLY | O_CREAT, 0600));
    assert_int_equal(record_from_journals(folder, &r, &e), -1);
    snprintf(want, sizeof want, "%s: none of its journals has a beginning", folder);
    assert_string_equal(e.text, want);
    record_fini(&r);
}

/* With out= root sees a copy: the same lines, and no longer than the first. */
static void test_copy(void **state)
{
    struct err e = ERR_INIT;
    struct record r;
    char other[PATH_MAX], first[PATH_MAX + 64], second[PATH_MAX + 64], hex[2][SHA256_HEX_SIZE];
    (void)state;

    snprintf(other, sizeof other, "%s/drop", dir);
    assert_int_equal(mkdir(other, 0700), 0);
    snprintf(first, sizeof first, "%s/lab-4711.0.3.journal/00002", dir);
    snprintf(second, sizeof second, "%s/lab-4711.0.3.journal/00002", other);
    sample_record(&r, 4, 2, 3);
    struct journal *j = journal_open(dir, "lab-4711.0.3", 2, &e);
    assert_int_equal(journal_copy(j, other, "lab-4711.0.3", 2, &e), 0);
    assert_int_equal(journal_start(j, &r, 2, 4, &r.nodes[0], &e), 0);
    assert_int_equal(journal_end(j, RUN_PARTIAL, &e), 0);
    assert_int_equal(sha256_file(first, hex[0], NULL, &e), 0);
    assert_int_equal(sha256_file(second, hex[1], NULL, &e), 0);
    assert_string_equal(hex[0], hex[1]);
    journal_remove(j);
    assert_int_equal(access(first, F_OK), -1);
    assert_int_equal(rmdir(other), 0);
    /* an impossible one does not count */
    j = journal_open(dir, "lab-4711.0.3", 2, &e);
    assert_int_equal(journal_copy(j, other, "lab-4711.0.3", 2, &e), -1);
    assert_int_equal(journal_start(j, &r, 2, 4, &r.nodes[0], &e), 0);
    journal_remove(j);
    record_fini(&r);
}

/* A journal never replaces one, and a full disk stops it once. */
static void test_refusals(void **state)
{
    struct err e = ERR_INIT;
    struct rlimit was, now;
    (void)state;

    struct journal *j = tell(5, AT_START);
    assert_null(journal_open(dir, "lab-4711.0.3", 5, &e));
    assert_non_null(strstr(e.text, "File exists"));
    getrlimit(RLIMIT_FSIZE, &was);
    now = (struct rlimit){200, was.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &now);
    int first = journal_end(j, RUN_COMPLETE, &e), second = journal_end(j, RUN_COMPLETE, &e);
    setrlimit(RLIMIT_FSIZE, &was);
    assert_int_equal(first, -1);
    assert_non_null(strstr(e.text, "stops here: File too large"));
    assert_int_equal(second, 0);
    journal_remove(j);
    assert_int_equal(access(folder, F_OK), -1);
    assert_int_equal(journal_end(NULL, RUN_COMPLETE, &e), 0);
    journal_remove(NULL);
    journal_close(NULL);
}

/* While it is set, a signal interrupts every other call of the library's. */
static bool interrupting;

static bool interrupt(void)
{
    static bool other;

    other = interrupting && !other;
    if (other)
        errno = EINTR;
    return other;
}

ssize_t write(int fd, const void *p, size_t n)
{
    return interrupt() ? -1 : syscall(SYS_write, fd, p, n);
}

int fdatasync(int fd)
{
    return interrupt() ? -1 : (int)syscall(SYS_fdatasync, fd);
}

/* A signal in the middle does not end a journal. */
static void test_interrupted(void **state)
{
    struct err e = ERR_INIT;
    int lines = 0;
    long torn;
    (void)state;

    interrupting = true;
    journal_close(tell(0, AT_END));
    interrupting = false;
    assert_int_equal(journal_read(journal_of(0), count, &lines, &torn, &e), 7);
    assert_int_equal(torn, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_crc),
        cmocka_unit_test_setup_teardown(test_torn, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_flipped, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_recover, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_recover_profile, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_recover_micro, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_recover_higher, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_crashed, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_ended, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_nothing, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_copy, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_refusals, make_dir, drop_dir),
        cmocka_unit_test_setup_teardown(test_interrupted, make_dir, drop_dir),
    };
    return cmocka_run_group_tests_name("journal", tests, NULL, NULL);
}
