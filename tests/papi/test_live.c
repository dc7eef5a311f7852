/* SPDX-License-Identifier: BSD-3-Clause */
/* The counters of this machine, whatever it offers. */
#include <config.h>

#include <errno.h>
#include <grp.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <linux/sockios.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "papi/counters.h"
#include "tests/papi/tree.h"
#include "tests/unit.h"

enum { WAITS = 20, THREADS = 3 };

static double cpu_seconds(clockid_t clock)
{
    struct timespec t;

    clock_gettime(clock, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Uses 30 ms of CPU, then waits a few times. Returns what it used. */
static void *work(void *used)
{
    struct timespec ms = {0, 1000000};
    volatile double x = 1;

    while (cpu_seconds(CLOCK_THREAD_CPUTIME_ID) < 0.03)
        for (int i = 0; i < 1000; i++)
            x = x * 1.0000001;
    for (int i = 0; i < WAITS; i++)
        nanosleep(&ms, NULL);
    *(double *)used = cpu_seconds(CLOCK_THREAD_CPUTIME_ID);
    return NULL;
}

static double in_threads(void)
{
    pthread_t t[THREADS];
    double used[THREADS], sum = 0;

    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&t[i], NULL, work, &used[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(t[i], NULL);
        sum += used[i];
    }
    return sum;
}

/* The value, or a note on why this machine has none. */
static bool has(const struct counters *c, int i, double *value)
{
    struct measure m = counters_value(c, i, PHASE_COMPUTE);

    if (m.reason)
        print_message("not checked: %s is null: %s\n", counters_info(i)->name, m.reason);
    *value = m.value;
    return !m.reason;
}

/* Threads started after the counters were opened, and ended before the
 * border, are counted too. */
static void test_threads(void **state)
{
    struct counters *c = counters_open(NULL, NULL);
    double used, value, user, sys;

    (void)state;
    assert_non_null(c);
    counters_phase(c, PHASE_COMPUTE);
    used = in_threads();
    counters_stop(c);
    if (has(c, COUNTER_perf_task_clock_seconds, &value))
        assert_true(value >= 0.8 * used);
    if (has(c, COUNTER_cpu_user_seconds, &user) && has(c, COUNTER_cpu_system_seconds, &sys))
        assert_true(user + sys >= 0.8 * used);
    /* 0 would be the silent answer of a kernel that was excluded. */
    if (has(c, COUNTER_perf_context_switches, &value))
        assert_true(value >= THREADS * WAITS);
    if (has(c, COUNTER_context_switches_voluntary, &value))
        assert_true(value >= THREADS * WAITS);
    if (has(c, COUNTER_instructions, &value))
        assert_true(value >= 1e6);
    counters_close(c);
}

static void test_io_and_memory(void **state)
{
    enum { BYTES = 8 << 20 };
    struct counters *c = counters_open(NULL, NULL);
    FILE *f = tmpfile();
    char *block = malloc(BYTES);
    double value;

    (void)state;
    assert_true(c && f && block);
    counters_phase(c, PHASE_COMPUTE);
    memset(block, 1, BYTES);
    assert_int_equal(fwrite(block, 1, BYTES, f), BYTES);
    fflush(f);
    counters_stop(c);
    if (has(c, COUNTER_io_write_bytes, &value))
        assert_true(value >= BYTES);
    if (has(c, COUNTER_memory_peak_bytes, &value))
        assert_true(value >= BYTES);
    if (has(c, COUNTER_page_faults_minor, &value))
        assert_true(value >= 1);
    free(block);
    fclose(f);
    counters_close(c);
}

/* A connection over the loopback; both ends are this process's. */
static void connect_pair(int ends[2])
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof(a);
    int listener = socket(AF_INET, SOCK_STREAM, 0);

    assert_int_equal(bind(listener, (struct sockaddr *)&a, sizeof(a)), 0);
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &size), 0);
    ends[0] = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(ends[0], (struct sockaddr *)&a, sizeof(a)), 0);
    ends[1] = accept(listener, NULL, NULL);
    assert_true(ends[1] >= 0);
    close(listener);
}

/* Moves n bytes from one end to the other, and waits for the acknowledgement. */
static void move(int ends[2], size_t n)
{
    static char block[1 << 14];
    int queued = 1;

    for (size_t done = 0; done < n; done += sizeof(block)) {
        assert_int_equal(send(ends[0], block, sizeof(block), 0), sizeof(block));
        assert_int_equal(recv(ends[1], block, sizeof(block), MSG_WAITALL), sizeof(block));
    }
    while (queued > 0)
        assert_int_equal(ioctl(ends[0], SIOCOUTQ, &queued), 0);
}

/* What TCP sockets move counts in its phase, also after they are closed; what
 * goes into files and pipes does not. */
static void test_sockets(void **state)
{
    enum { BYTES = 1 << 20, MORE = 1 << 18 };
    struct counters *c = counters_open(NULL, NULL);
    int ends[2], others[2];
    struct measure in, out;

    (void)state;
    assert_non_null(c);
    counters_phase(c, PHASE_STAGING);
    connect_pair(ends);
    move(ends, BYTES);
    counters_phase(c, PHASE_COMPUTE);
    close(ends[0]);
    close(ends[1]);
    connect_pair(others); /* perhaps by the numbers of the closed ones */
    move(others, MORE);
    FILE *f = tmpfile();
    for (int i = 0; i < BYTES; i++)
        fputc('x', f);
    fclose(f);
    counters_phase(c, PHASE_EVALUATION);
    counters_stop(c);
    in = counters_value(c, COUNTER_socket_receive_bytes, PHASE_STAGING);
    out = counters_value(c, COUNTER_socket_transmit_bytes, PHASE_STAGING);
    if (in.reason) {
        print_message("not checked: %s\n", in.reason);
    } else {
        /* a SYN counts as a byte that was acknowledged, in some kernels */
        assert_true(in.value == BYTES && out.value >= BYTES && out.value <= BYTES + 2);
        in = counters_value(c, COUNTER_socket_receive_bytes, PHASE_COMPUTE);
        out = counters_value(c, COUNTER_socket_transmit_bytes, PHASE_COMPUTE);
        assert_true(in.value == MORE && out.value >= MORE && out.value <= MORE + 2);
        in = counters_value(c, COUNTER_socket_receive_bytes, PHASE_EVALUATION);
        assert_true(!in.reason && in.value == 0);
    }
    close(others[0]);
    close(others[1]);
    counters_close(c);
}

/* Every counter answers, opened twice at once, and closing gives back every
 * descriptor. */
static void test_answers(void **state)
{
    struct counters *a = counters_open(NULL, NULL), *b = counters_open(NULL, NULL);
    int before, after;

    (void)state;
    assert_true(a && b);
    for (int p = 0; p < PHASE_COUNT; p++) {
        counters_phase(a, (enum phase)p);
        counters_phase(b, (enum phase)p);
    }
    counters_stop(a);
    for (int i = 0; i < COUNTER_COUNT; i++)
        for (int p = 0; p <= PHASE_COUNT; p++) {
            struct measure m = counters_value(a, i, (enum phase)p);

            if (m.reason ? strlen(m.reason) < 5 : !(isfinite(m.value) && m.value >= 0))
                fail_msg("%s: %g, \"%s\"", counters_info(i)->name, m.value,
                         m.reason ? m.reason : "");
        }
    counters_close(b);
    counters_close(a);
    before = dup(0);
    close(before);
    a = counters_open(NULL, NULL);
    counters_phase(a, PHASE_COMPUTE);
    counters_close(a);
    after = dup(0);
    close(after);
    assert_int_equal(before, after);
}

/* --- in a process with fewer rights --- */

static int as_nobody(void)
{
    return setgroups(0, NULL) || setgid(65534) || setuid(65534);
}

/* What a kernel with perf_event_paranoid 3, or a container, answers. */
static int without_perf(void)
{
    struct sock_filter code[] = {
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_perf_event_open, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EACCES),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog prog = {.len = sizeof(code) / sizeof(*code), .filter = code};

    return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
           prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog);
}

/* Runs work() counted, after `lower` took rights away; tells its counter. */
static struct measure counted_with(int (*lower)(void), const char *root, int counter)
{
    struct answer {
        double value;
        char reason[256];
    } a = {0};
    static char reason[sizeof(a.reason)];
    int pipes[2], status;
    pid_t pid;

    assert_int_equal(pipe(pipes), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct counters_options o = {.root = root};
        struct counters *c = lower() ? NULL : counters_open(&o, NULL);
        struct measure m;
        double used;

        if (!c)
            _exit(1);
        counters_phase(c, PHASE_COMPUTE);
        work(&used);
        counters_stop(c);
        m = counters_value(c, counter, PHASE_COMPUTE);
        a.value = m.value;
        snprintf(a.reason, sizeof(a.reason), "%s", m.reason ? m.reason : "");
        _exit(write(pipes[1], &a, sizeof(a)) != (ssize_t)sizeof(a));
    }
    close(pipes[1]);
    assert_int_equal(read(pipes[0], &a, sizeof(a)), sizeof(a));
    close(pipes[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    snprintf(reason, sizeof(reason), "%s", a.reason);
    return reason[0] ? unmeasured(reason) : measured(a.value);
}

static void test_paranoid(void **state)
{
    char root[TREE_PATH];
    struct measure m;

    (void)state;
    tree_make("node", root);
    m = counted_with(without_perf, root, COUNTER_perf_task_clock_seconds);
    tree_remove(root);
    if (!m.reason)
        fail_msg("perf events without perf_event_open: %g", m.value);
    assert_string_equal(m.reason, "PERF_COUNT_SW_TASK_CLOCK: Permission denied "
                                  "(kernel.perf_event_paranoid is 3)");
    m = counted_with(without_perf, NULL, COUNTER_cpu_user_seconds);
    assert_null(m.reason);
}

/* An ordinary user has his context switches counted or is told why not;
 * never a silent 0. */
static void test_ordinary_user(void **state)
{
    struct measure m;

    (void)state;
    if (getuid() != 0) {
        print_message("skipped: only root can become somebody else\n");
        skip();
    }
    m = counted_with(as_nobody, NULL, COUNTER_perf_context_switches);
    if (m.reason)
        assert_non_null(strstr(m.reason, "PERF_COUNT_SW_CONTEXT_SWITCHES: "));
    else
        assert_true(m.value >= WAITS);
    m = counted_with(as_nobody, NULL, COUNTER_io_read_calls);
    assert_true(m.reason ? strlen(m.reason) > 5 : m.value >= 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),  cmocka_unit_test(test_io_and_memory),
        cmocka_unit_test(test_sockets),  cmocka_unit_test(test_answers),
        cmocka_unit_test(test_paranoid), cmocka_unit_test(test_ordinary_user),
    };

    return cmocka_run_group_tests_name("counters, live", tests, NULL, NULL);
}
