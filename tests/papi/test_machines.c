/* SPDX-License-Identifier: BSD-3-Clause */
/* Counters on recorded machines, whose files change, vanish, or say rubbish. */
#include <config.h>

#include <grp.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "papi/counters.h"
#include "tests/papi/answers.h"
#include "tests/papi/tree.h"
#include "tests/unit.h"

#define LIVE (1u << BACKEND_PAPI | 1u << BACKEND_PERF | 1u << BACKEND_SOCKET)

struct fixture {
    char root[TREE_PATH];
    struct counters *c;
};

static struct fixture *start(const char *name)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    tree_make(name, f->root);
    return f;
}

static void open_fixture(struct fixture *f)
{
    struct counters_options o = {.root = f->root, .off = LIVE};

    f->c = counters_open(&o, NULL);
    assert_non_null(f->c);
}

static int setup_node(void **state)
{
    *state = start("node");
    open_fixture(*state);
    return 0;
}

static int setup_container(void **state)
{
    *state = start("container");
    open_fixture(*state);
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    counters_close(f->c);
    tree_remove(f->root);
    free(f);
    return 0;
}

#define IB     "/sys/class/infiniband/"
#define RAPL   "/sys/class/powercap/intel-rapl:"
#define TASK   "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_4711/step_0/user/task_0"
#define JOB_IO "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_4711/io.stat"
#define NETDEV "/proc/self/net/dev"

/* What happens on the machine during the phase, and what must be counted. */
static const struct {
    const char *path;
    const char *text;
} change[] = {
    {"/proc/self/io", "rchar: 1500\nwchar: 2000\nsyscr: 11\nsyscw: 20\nread_bytes: 8192\n"
                      "write_bytes: 8193\ncancelled_write_bytes: 0\n"},
    {"/proc/self/status", "VmPeak: 1 kB\nVmHWM:\t  600000 kB\n"},
    {NETDEV, "lo: 0\n  eth0: 1000100 1001 2 2 0 0 0 0 2000200 2002 3 6 0 0 0 0\n"
             "ib0:500010 501 0 0 0 0 0 0 600020 602 0 1 0 0 0 0\n"
             "docker0: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"},
    {IB "mlx5_0/ports/1/counters/port_rcv_data", "1000000000100\n"},
    {IB "mlx5_1/ports/1/counters/port_rcv_data", "11\n"},
    {IB "mlx5_0/ports/1/counters/port_xmit_data", "2000000000007\n"},
    {IB "mlx5_0/ports/1/counters/port_xmit_wait", "1600\n"},
    {IB "mlx5_0/ports/1/counters/link_downed", "6\n"},
    {IB "mlx5_1/ports/1/counters/symbol_error", "2\n"},
    {RAPL "0/energy_uj", "2000000\n"},  /* wrapped */
    {RAPL "1/energy_uj", "15000000\n"}, /* did not */
    {RAPL "0:0/energy_uj", "66500000\n"},
    {TASK "/cpu.stat",
     "usage_usec 5000000\nnr_periods 20\nnr_throttled 5\nthrottled_usec 900000\n"},
    {TASK "/memory.peak", "83886080\n"},
    {TASK "/memory.events", "low 0\nhigh 0\nmax 7\noom 1\noom_kill 1\n"},
    {JOB_IO, "259:0 rbytes=1500 wbytes=2000 rios=1\n8:16 rbytes=10 wbytes=25 rios=1\n"
             "8:32 rbytes=100 wbytes=0\n"},
    {"/sys/class/hwmon/hwmon1/temp1_input", "70000\n"},
    {"/sys/devices/system/cpu/cpu0/thermal_throttle/package_throttle_count", "9\n"},
    {"/sys/devices/system/cpu/cpu2/thermal_throttle/package_throttle_total_time_ms", "350\n"},
};

static const struct {
    int counter;
    double value;
} counted[] = {
    {COUNTER_io_read_bytes, 500},
    {COUNTER_io_write_bytes, 0},
    {COUNTER_io_read_calls, 1},
    {COUNTER_storage_read_bytes, 4096},
    {COUNTER_storage_write_bytes, 1},
    {COUNTER_memory_peak_bytes, 600000.0 * 1024},
    {COUNTER_net_receive_bytes, 110},
    {COUNTER_net_transmit_bytes, 220},
    {COUNTER_net_receive_packets, 2},
    {COUNTER_net_transmit_packets, 4},
    {COUNTER_net_errors, 1},
    {COUNTER_net_drops, 3},
    {COUNTER_ib_receive_bytes, 404},
    {COUNTER_ib_transmit_bytes, 28},
    {COUNTER_ib_transmit_wait, 100},
    {COUNTER_ib_errors, 3},
    {COUNTER_energy_package_joules, 2.32885 + 10},
    {COUNTER_energy_dram_joules, 1.5},
    {COUNTER_cgroup_cpu_seconds, 3},
    {COUNTER_cgroup_throttled_seconds, 0.5},
    {COUNTER_cgroup_throttled_periods, 2},
    {COUNTER_cgroup_memory_peak_bytes, 83886080},
    {COUNTER_cgroup_memory_limit_hits, 5},
    {COUNTER_cgroup_read_bytes, 600},
    {COUNTER_cgroup_write_bytes, 5},
    {COUNTER_cpu_frequency_hz, 3e9},
    {COUNTER_cpu_temperature_celsius, 70},
    {COUNTER_thermal_throttle_events, 2},
    {COUNTER_thermal_throttle_seconds, 0.25},
};

static void test_node(void **state)
{
    struct fixture *f = *state;

    counters_phase(f->c, PHASE_COMPUTE);
    for (size_t i = 0; i < sizeof(change) / sizeof(*change); i++)
        tree_write(f->root, change[i].path, change[i].text);
    counters_stop(f->c);
    for (size_t i = 0; i < sizeof(counted) / sizeof(*counted); i++) {
        struct measure m = counters_value(f->c, counted[i].counter, PHASE_COMPUTE);

        if (m.reason || fabs(m.value - counted[i].value) > 1e-9 * fmax(1, counted[i].value))
            print_error("%s:\n", counters_info(counted[i].counter)->name);
        assert_value(m, counted[i].value);
    }
    assert_reason(counters_value(f->c, COUNTER_energy_node_joules, PHASE_COMPUTE),
                  "/sys/cray/pm_counters/energy: No such file");
    assert_reason(counters_value(f->c, COUNTER_cycles, PHASE_COMPUTE), "turned off");
    assert_string_equal(counters_source(f->c, COUNTER_net_drops), NETDEV ": eth0 ib0");
    assert_string_equal(counters_source(f->c, COUNTER_cgroup_read_bytes), JOB_IO);
    assert_non_null(strstr(counters_source(f->c, COUNTER_ib_errors), "2 active ports"));
    assert_answers(f->c);
}

/* In a Slurm job the node's own groups are nobody's: not those above the job's,
 * nor those of a site without groups, where a rank is in slurmd's. */
static void test_group_of_the_job(void **state)
{
    struct counters_options in_job = {.off = LIVE, .in_job = true};
    struct fixture *f = start("node");

    (void)state;
    in_job.root = f->root;
    f->c = counters_open(&in_job, NULL);
    assert_string_equal(counters_source(f->c, COUNTER_cgroup_cpu_seconds), TASK "/cpu.stat");
    assert_string_equal(counters_source(f->c, COUNTER_cgroup_read_bytes), JOB_IO);
    counters_close(f->c);

    tree_unlink(f->root, JOB_IO);
    open_fixture(f); /* outside of Slurm the next one above counts */
    assert_string_equal(counters_source(f->c, COUNTER_cgroup_read_bytes), "/sys/fs/cgroup/io.stat");
    counters_close(f->c);
    f->c = counters_open(&in_job, NULL);
    assert_string_equal(counters_source(f->c, COUNTER_cgroup_cpu_seconds), TASK "/cpu.stat");
    assert_reason(counters_value(f->c, COUNTER_cgroup_read_bytes, PHASE_COMPUTE),
                  TASK "/io.stat: No such file");
    counters_close(f->c);

    static const char *const others[] = {"/", "/system.slice/slurmd.service", "/job_/x", "/job_1x",
                                         "/ajob_1"};
    for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++) {
        char line[128], wanted[160];
        snprintf(line, sizeof(line), "0::%s\n", others[i]);
        tree_write(f->root, "/proc/self/cgroup", line);
        f->c = counters_open(&in_job, NULL);
        snprintf(wanted, sizeof(wanted), "/sys/fs/cgroup%s is not the control group of a job",
                 i ? others[i] : "");
        assert_reason(counters_value(f->c, COUNTER_cgroup_cpu_seconds, PHASE_COMPUTE), wanted);
        assert_reason(counters_value(f->c, COUNTER_cgroup_read_bytes, PHASE_COMPUTE), wanted);
        counters_close(f->c);
    }
    tree_remove(f->root);
    free(f);
}

static void test_container(void **state)
{
    struct fixture *f = *state;

    counters_phase(f->c, PHASE_COMPUTE);
    tree_write(f->root, "/sys/fs/cgroup/cpu,cpuacct/cpuacct.usage", "7000000000\n");
    tree_write(f->root, "/sys/fs/cgroup/cpu,cpuacct/cpu.stat", "throttled_time 3500000000\n");
    tree_write(f->root, NETDEV, " eth0: 100 11 0 0 0 0 0 0 900 10 0 0 0 0 0 0\n");
    tree_write(f->root, IB "mthca0/ports/1/counters_ext/port_xmit_data_64", "1010\n");
    tree_write(f->root, "/sys/cray/pm_counters/energy", "7325200 J 1540242425418533 us\n");
    counters_stop(f->c);
    assert_value(counters_value(f->c, COUNTER_cgroup_cpu_seconds, PHASE_COMPUTE), 2);
    assert_value(counters_value(f->c, COUNTER_cgroup_throttled_seconds, PHASE_COMPUTE), 1);
    assert_reason(counters_value(f->c, COUNTER_cgroup_throttled_periods, PHASE_COMPUTE),
                  "cpu.stat: no number after nr_throttled any more");
    assert_value(counters_value(f->c, COUNTER_cgroup_memory_limit_hits, PHASE_COMPUTE), 0);
    assert_reason(counters_value(f->c, COUNTER_cgroup_read_bytes, PHASE_COMPUTE),
                  "blkio/docker/abc123/blkio.throttle.io_service_bytes_recursive: No such file");
    /* veth without hardware behind it counts; 32 bits wrap, but 1000 -> 900
     * is not a wrap. */
    assert_value(counters_value(f->c, COUNTER_net_receive_bytes, PHASE_COMPUTE), 396);
    assert_reason(counters_value(f->c, COUNTER_net_transmit_bytes, PHASE_COMPUTE),
                  "went backwards, from 1000 to 900");
    /* An old HCA: stuck at 32 bits, the 64-bit file preferred where it is. */
    assert_reason(counters_value(f->c, COUNTER_ib_receive_bytes, PHASE_COMPUTE),
                  "stuck at 4294967295");
    assert_value(counters_value(f->c, COUNTER_ib_transmit_bytes, PHASE_COMPUTE), 40);
    assert_reason(counters_value(f->c, COUNTER_ib_errors, PHASE_COMPUTE), "stuck at 255");
    assert_reason(counters_value(f->c, COUNTER_energy_package_joules, PHASE_COMPUTE),
                  "no RAPL zones");
    assert_value(counters_value(f->c, COUNTER_energy_node_joules, PHASE_COMPUTE), 88);
    assert_value(counters_value(f->c, COUNTER_cpu_temperature_celsius, PHASE_COMPUTE), 55);
    assert_reason(counters_value(f->c, COUNTER_io_read_bytes, PHASE_COMPUTE),
                  "/proc/self/io: No such file or directory");
    assert_answers(f->c);
}

/* Files vanish and come back; what was measured before stays. */
static void test_vanish(void **state)
{
    struct fixture *f = *state;
    const char *file = TASK "/cpu.stat";

    counters_phase(f->c, PHASE_STAGING);
    tree_write(f->root, file, "usage_usec 2000001\nnr_throttled 3\nthrottled_usec 400000\n");
    counters_phase(f->c, PHASE_COMPUTE);
    tree_unlink(f->root, file);
    counters_phase(f->c, PHASE_EVALUATION);
    tree_write(f->root, file, "usage_usec oops\n");
    counters_phase(f->c, PHASE_CHECKPOINT);
    tree_write(f->root, file, "");
    counters_stop(f->c);
    assert_value(counters_value(f->c, COUNTER_cgroup_cpu_seconds, PHASE_STAGING), 1e-6);
    assert_reason(counters_value(f->c, COUNTER_cgroup_cpu_seconds, PHASE_COMPUTE),
                  "cpu.stat: No such file");
    assert_reason(counters_value(f->c, COUNTER_cgroup_cpu_seconds, PHASE_EVALUATION),
                  "no number after usage_usec any more");
    assert_answers(f->c);
}

/* A zone that can go round twice between two reads tells nothing. */
static void test_gap(void **state)
{
    struct fixture *f = *state;

    counters_close(f->c);
    tree_write(f->root, RAPL "0/max_energy_range_uj", "1\n");
    open_fixture(f);
    counters_phase(f->c, PHASE_COMPUTE);
    counters_stop(f->c);
    assert_reason(counters_value(f->c, COUNTER_energy_package_joules, PHASE_COMPUTE),
                  "may have wrapped more than once");
    assert_value(counters_value(f->c, COUNTER_energy_dram_joules, PHASE_COMPUTE), 0);
}

/* One package cannot be read: their sum is not known, whatever the other says. */
static void test_part_missing(void **state)
{
    struct fixture *f = *state;

    counters_close(f->c);
    tree_write(f->root, RAPL "1/energy_uj", "broken\n");
    open_fixture(f);
    counters_phase(f->c, PHASE_COMPUTE);
    counters_stop(f->c);
    assert_reason(counters_value(f->c, COUNTER_energy_package_joules, PHASE_COMPUTE),
                  "intel-rapl:1/energy_uj: no number");
    assert_string_equal(counters_source(f->c, COUNTER_energy_package_joules), "");
}

/* An ordinary user: energy is closed to him, and the reason says by what. */
static void test_permission(void **state)
{
    struct fixture *f = *state;
    int status;
    pid_t pid;

    if (getuid() != 0) {
        print_message("skipped: only root can become somebody else\n");
        skip();
    }
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct counters_options o = {.root = f->root, .off = LIVE};
        struct counters *c;
        struct measure m;

        if (setgroups(0, NULL) || setgid(65534) || setuid(65534) || !(c = counters_open(&o, NULL)))
            _exit(1);
        counters_phase(c, PHASE_COMPUTE);
        counters_stop(c);
        m = counters_value(c, COUNTER_energy_package_joules, PHASE_COMPUTE);
        if (!m.reason || !strstr(m.reason, "energy_uj: Permission denied (mode 0400, owner uid 0)"))
            _exit(2);
        _exit(counters_value(c, COUNTER_io_read_bytes, PHASE_COMPUTE).reason ? 3 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

/* Ranks in the same cgroup share it, in another they do not, and a node's
 * counters are one on all containers of a machine. */
static void test_domains(void **state)
{
    struct fixture *f = *state;
    static struct counters_row a[COUNTER_COUNT], b[COUNTER_COUNT], other[COUNTER_COUNT];

    counters_export(f->c, a);
    counters_close(f->c);
    open_fixture(f);
    counters_export(f->c, b);
    counters_close(f->c);
    tree_write(f->root, "/proc/self/cgroup", "0::/system.slice/slurmstepd.scope/job_4711\n");
    tree_write(f->root, "/sys/fs/cgroup/system.slice/slurmstepd.scope/job_4711/cpu.stat",
               "usage_usec 1\n");
    open_fixture(f);
    counters_export(f->c, other);
    assert_int_equal(a[COUNTER_cgroup_cpu_seconds].domain, b[COUNTER_cgroup_cpu_seconds].domain);
    assert_int_not_equal(a[COUNTER_cgroup_cpu_seconds].domain,
                         other[COUNTER_cgroup_cpu_seconds].domain);
    assert_int_equal(a[COUNTER_cgroup_read_bytes].domain, other[COUNTER_cgroup_read_bytes].domain);
    assert_int_equal(a[COUNTER_ib_errors].domain, other[COUNTER_ib_errors].domain);
    assert_int_equal(a[COUNTER_io_read_bytes].domain, 0);
    counters_close(f->c);
    tree_write(f->root, "/proc/sys/kernel/random/boot_id", "another-machine\n");
    open_fixture(f);
    counters_export(f->c, other);
    assert_int_not_equal(a[COUNTER_ib_errors].domain, other[COUNTER_ib_errors].domain);
}

/* Whatever stands in the files: a number or a reason, and no crash. */
static void test_rubbish(void **state)
{
    static const char *const rubbish[] = {"",
                                          "\n",
                                          " ",
                                          ":",
                                          "=\n=\n",
                                          "-1\n",
                                          "99999999999999999999999999\n",
                                          "rchar:\n",
                                          "rchar: :=:= 5",
                                          "eth0:",
                                          "eth0: 1 2 3\nib0",
                                          "usage_usec",
                                          "usage_usec -3\n",
                                          "0::\n",
                                          "::::\n",
                                          "0::/../..\n",
                                          "a b c d e f - cgroup2 x y\n",
                                          " - cgroup2 \n",
                                          "\377\376\375",
                                          "nan\n",
                                          "inf\n",
                                          "0x10\n",
                                          "1e5\n"};
    struct fixture *f = *state;

    for (size_t i = 0; i < sizeof(rubbish) / sizeof(*rubbish); i++) {
        counters_phase(f->c, PHASE_COMPUTE);
        for (size_t k = 0; k < sizeof(change) / sizeof(*change); k++)
            tree_write(f->root, change[k].path,
                       rubbish[(i + k) % (sizeof(rubbish) / sizeof(*rubbish))]);
        counters_phase(f->c, PHASE_OTHER);
        assert_answers(f->c);
        counters_close(f->c);
        tree_write(f->root, "/proc/self/cgroup", rubbish[i]);
        tree_write(f->root, "/proc/self/mountinfo", rubbish[i]);
        tree_write(f->root, "/proc/self/status", rubbish[i]);
        open_fixture(f);
        assert_answers(f->c);
    }
}

static void test_empty_machine(void **state)
{
    struct counters_options o = {.root = "/nonexistent", .off = LIVE};
    struct counters *c = counters_open(&o, NULL);

    (void)state;
    counters_phase(c, PHASE_COMPUTE);
    counters_stop(c);
    assert_answers(c);
    assert_reason(counters_value(c, COUNTER_net_drops, PHASE_COMPUTE), "net/dev: No such file");
    assert_reason(counters_value(c, COUNTER_cgroup_cpu_seconds, PHASE_COMPUTE), "cannot be read");
    counters_close(c);
    counters_close(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_node, setup_node, teardown),
        cmocka_unit_test(test_group_of_the_job),
        cmocka_unit_test_setup_teardown(test_container, setup_container, teardown),
        cmocka_unit_test_setup_teardown(test_vanish, setup_node, teardown),
        cmocka_unit_test_setup_teardown(test_gap, setup_node, teardown),
        cmocka_unit_test_setup_teardown(test_part_missing, setup_node, teardown),
        cmocka_unit_test_setup_teardown(test_permission, setup_node, teardown),
        cmocka_unit_test_setup_teardown(test_domains, setup_node, teardown),
        cmocka_unit_test_setup_teardown(test_rubbish, setup_node, teardown),
        cmocka_unit_test(test_empty_machine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
