/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/micro/bench.h"

#include <string.h>

#include "agent/comm/comm_mpi.h"
#include "agent/micro/network.h"
#include "agent/node/validate.h"
#include "reports/core/clock.h"
#include "workloads/engine/engine.h"

static const struct {
    const char *name;
    const struct micro_bench *bench;
} benches[] = {
#define CEILING(symbol, suite, field, dtypes, title) {#symbol, &micro_##symbol},
#include "reports/core/workloads.def"
};

const struct micro_bench *bench_of(const char *name)
{
    for (size_t i = 0; i < sizeof benches / sizeof *benches; i++)
        if (strcmp(benches[i].name, name) == 0)
            return benches[i].bench;
    return NULL;
}

/* Between the rounds of a validation. A script waits for its vet, which must not wait. */
static double pause_of(const struct runspec *spec)
{
    static const double usual = 60;

    return spec->pause_seconds > 0 ? spec->pause_seconds : runspec_is_vet(spec) ? 0 : usual;
}

struct micro_host bench_host(const struct run *r, int index, enum runspec_class class)
{
    const char *folder = runspec_data(&r->spec, index);

    return (struct micro_host){
        .comm = r->comm,
        .now = clock_now,
        .deadline = r->workload_deadline,
        .threads = r->threads,
        .memory_bytes = r->resources.memory_bytes,
        .backend = r->spec.engine == ENGINE_AUTO ? engine_backend_name(0)
                                                 : runspec_engine_name(r->spec.engine),
        .folder = *folder ? folder : r->place.cache,
        .class = class,
        .dtype = r->spec.dtype,
        .seed = r->spec.seed,
        .profile = runspec_profile_name(r->spec.profile),
        .budget_seconds = r->spec.budget_seconds,
        .pause_seconds = pause_of(&r->spec),
        .spares = r->spec.spares,
        .node_program = r->place.node_program,
        .turns = r->turns,
        .floor_seconds = MICRO_FLOOR_SECONDS,
        .samples = micro_samples(class),
        .node = comm_mpi_node_index(r->comm, r->comm->rank),
        .n_nodes = comm_mpi_nodes(r->comm),
    };
}

int bench_plan(const struct runspec *spec, int index, enum runspec_class class,
               const struct workload_host *host, struct workload_plan *plan, struct err *e)
{
    const char *name = runspec_workload(spec->workloads[index])->name;
    const struct micro_bench *b = bench_of(name);
    const struct run *r = host->ctx;
    struct micro_plan own = {0};

    *plan = (struct workload_plan){.class = class, .data_ready = true};
    if (!b || !r)
        return err_set(e, "this agent was built without the benchmark %s", name);
    struct micro_host h = bench_host(r, index, class);
    b->plan(&h, &own);
    memcpy(plan->title, own.title, sizeof plan->title);
    plan->expected_seconds = own.expected_seconds;
    plan->arena_bytes = own.memory_bytes;
    return 0;
}
