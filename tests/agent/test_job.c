/* SPDX-License-Identifier: BSD-3-Clause */
/* The agent's job, as Slurm's environment tells of it. */
#include <config.h>

#include <stdlib.h>

#include "agent/job.h"
#include "tests/unit.h"

/* Two nodes of 4 cores with 8 threads. */
static void nodes_of(struct record_node nodes[2])
{
    for (int i = 0; i < 2; i++) {
        nodes[i] = (struct record_node){0};
        record_fact_number(&nodes[i].inventory[INVENTORY_cores], 4);
        record_fact_number(&nodes[i].inventory[INVENTORY_hardware_threads], 8);
    }
}

static void exclusive(void **state)
{
    static const struct {
        const char *list, *nodes;
        int want;
    } rows[] = {
        {"8(x2)", "2", 1},
        {"8,8", "2", 1},
        {"4(x2)", "2", -1}, /* all cores, or half of the threads */
        {"8,4", "2", -1},
        {"3(x2)", "2", 0},
        {"2,1", "2", 0},
        {"8(x3)", "3", -1}, /* the run is on a part of the job's nodes */
        {NULL, "2", -1},
        {"8(x2)", NULL, -1},
        {"", "2", -1},
        {"8(x", "2", -1},
        {"8(x0)", "2", -1},
        {"8(x2)9", "2", -1},
        {"-8,8", "2", -1},
        {"8;8", "2", -1},
        {"99999999999999999999(x2)", "2", -1},
        {"2147483647(x2147483647)", "2", -1},
    };
    struct record_node nodes[2];

    (void)state;
    nodes_of(nodes);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        unsetenv("SLURM_JOB_CPUS_PER_NODE");
        unsetenv("SLURM_JOB_NUM_NODES");
        if (rows[i].list)
            setenv("SLURM_JOB_CPUS_PER_NODE", rows[i].list, 1);
        if (rows[i].nodes)
            setenv("SLURM_JOB_NUM_NODES", rows[i].nodes, 1);
        if (job_exclusive(nodes, 2) != rows[i].want)
            fail_msg("'%s' on %s nodes: %d, expected %d", rows[i].list ? rows[i].list : "(unset)",
                     rows[i].nodes ? rows[i].nodes : "?", job_exclusive(nodes, 2), rows[i].want);
    }
    setenv("SLURM_JOB_CPUS_PER_NODE", "8(x2)", 1);
    setenv("SLURM_JOB_NUM_NODES", "2", 1);
    record_fact_unknown(&nodes[1].inventory[INVENTORY_hardware_threads], "it does not say");
    assert_int_equal(job_exclusive(nodes, 2), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(exclusive)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
