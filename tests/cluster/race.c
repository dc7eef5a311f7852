/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * LD_PRELOAD for the tests of who writes at the same moment: before hpcai500-slurmctl's
 * first write to a node, the commands in $HPCAI500_RACE are run. They are what an
 * administrator does between its look and its write.
 */
#include <config.h>

#include <dlfcn.h>
#include <stdlib.h>

int slurm_update_node(void *message);

int slurm_update_node(void *message)
{
    int (*real)(void *) = (int (*)(void *))dlsym(RTLD_NEXT, "slurm_update_node");
    const char *race = getenv("HPCAI500_RACE");

    if (race) {
        unsetenv("LD_PRELOAD");
        if (system(race) != 0)
            abort();
        unsetenv("HPCAI500_RACE");
    }
    return real(message);
}
