/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * One rank of a test of comm_mpi: `mpirun -n N ranks CASE [ARGUMENT]`.
 * Says what went wrong on stderr and exits 1.
 */
#include <config.h>

#include <math.h>
#include <mpi.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "agent/comm/comm_mpi.h"
#include "reports/core/clock.h"
#include "workloads/component/transport.h"
#include "workloads/component/wire.h"

static struct comm *comm;
static struct err err;

#define CHECK(cond, ...)                                                                           \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "rank %d: line %d: ", comm->rank, __LINE__);                           \
            fprintf(stderr, __VA_ARGS__);                                                          \
            fprintf(stderr, " %s\n", err.text);                                                    \
            return 1;                                                                              \
        }                                                                                          \
    } while (0)

static void nap(double seconds)
{
    nanosleep(&(struct timespec){(time_t)seconds, (long)((seconds - (long)seconds) * 1e9)}, NULL);
}

/* What rank r holds at element i of sum k: many magnitudes, both signs. */
static float value(int r, size_t i, int k)
{
    uint64_t x = ((uint64_t)r * 1000003u + i) * 0x9E3779B97F4A7C15u + (uint64_t)k * 77u;

    x ^= x >> 29;
    x *= 0xBF58476D1CE4E5B9u;
    x ^= x >> 32;
    float f = (float)(x % 20001) / 10000 - 1;
    return f * (float)(1 << (x >> 40) % 12);
}

static void fill(float *p, size_t n, int k)
{
    for (size_t i = 0; i < n; i++)
        p[i] = value(comm->rank, i, k);
}

/* The same bits as a float sum in rank order, and close to the double sum. */
static int verify(const float *p, size_t n, int k)
{
    for (size_t i = 0; i < n; i++) {
        float f = value(0, i, k);
        double d = f, size = d < 0 ? -d : d;
        for (int r = 1; r < comm->size; r++) {
            float v = value(r, i, k);
            f += v;
            d += v;
            size += v < 0 ? -v : v;
        }
        CHECK(memcmp(&f, &p[i], sizeof f) == 0, "element %zu of %zu is %.9g, in order %.9g", i, n,
              (double)p[i], (double)f);
        double off = p[i] - d;
        CHECK((off < 0 ? -off : off) <= 1e-6 * size * comm->size, "element %zu is far off", i);
    }
    return 0;
}

static int one_sum(float *p, size_t n, int k)
{
    int request;

    fill(p, n, k);
    CHECK(comm->allreduce_start(comm, p, n, &request, &err) == 0, "start");
    CHECK(comm->progress(comm, &err) == 0, "progress");
    CHECK(comm->wait(comm, request, &err) == 0, "wait");
    return verify(p, n, k);
}

static const size_t sizes[] = {0, 1, 5, 63, 1000, 4096, 16384, 16385, 65537, 300000};
enum { N_SIZES = sizeof sizes / sizeof sizes[0], LARGEST = 300000 };

/* argument: "window" or "plain" memory */
static int test_sums(const char *argument)
{
    bool window = strcmp(argument, "window") == 0;
    float *p = window ? comm->alloc(comm, LARGEST * sizeof *p, &err) : malloc(LARGEST * sizeof *p);

    CHECK(p, "alloc");
    CHECK(comm->size == 1 || comm_mpi_shared(comm, p) == window, "window");
    CHECK((uintptr_t)p % 16 == 0 && (!window || ((uintptr_t)p % 64 == 0 && p[LARGEST - 1] == 0)),
          "memory is not aligned or not zeroed");
    for (int k = 0; k < N_SIZES; k++)
        if (one_sum(p, sizes[k], k))
            return 1;
    if (window)
        comm->free(comm, p);
    else
        free(p);
    return 0;
}

/* Many sums under way, more in all than slots, waited for in reverse; a rank
 * that comes late every time; both kinds of memory at once. */
static int test_many(const char *argument)
{
    enum { EACH = 3000, AT_ONCE = 20, ROUNDS = 8 };
    float *w = comm->alloc(comm, AT_ONCE * EACH * sizeof *w, &err);
    float *p = malloc(AT_ONCE * EACH * sizeof *p);
    int request[2 * AT_ONCE];

    (void)argument;
    CHECK(w && p, "alloc");
    for (int round = 0; round < ROUNDS; round++) {
        if (round % comm->size == comm->rank)
            nap(0.002);
        for (int k = 0; k < AT_ONCE; k++) {
            fill(w + k * EACH, EACH, k);
            fill(p + k * EACH, EACH, 100 + k);
            CHECK(comm->allreduce_start(comm, w + k * EACH, EACH, &request[k], &err) == 0, "start");
            CHECK(comm->allreduce_start(comm, p + k * EACH, EACH, &request[AT_ONCE + k], &err) == 0,
                  "start");
            CHECK(comm->progress(comm, &err) == 0, "progress");
        }
        for (int k = 2 * AT_ONCE - 1; k >= 0; k--)
            CHECK(comm->wait(comm, request[k], &err) == 0, "wait");
        for (int k = 0; k < AT_ONCE; k++)
            if (verify(w + k * EACH, EACH, k) || verify(p + k * EACH, EACH, 100 + k))
                return 1;
    }
    free(p);
    comm->free(comm, w);
    return 0;
}

static int test_blocking(const char *argument)
{
    double v[2] = {comm->rank + 1, -comm->rank};
    double n = comm->size;
    size_t counts[64], at = 0;
    unsigned char send[64], recv[64 * 64];
    char text[32] = "";

    (void)argument;
    CHECK(comm->reduce(comm, v, 2, COMM_SUM, &err) == 0, "reduce");
    CHECK(v[0] == n * (n + 1) / 2 && v[1] == -n * (n - 1) / 2, "sums %g %g", v[0], v[1]);
    v[0] = comm->rank;
    v[1] = -comm->rank;
    CHECK(comm->reduce(comm, v, 2, COMM_MAX, &err) == 0 && v[0] == n - 1 && v[1] == 0, "most");
    v[0] = comm->rank + 7;
    CHECK(comm->reduce(comm, v, 1, COMM_MIN, &err) == 0 && v[0] == 7, "least");
    double *many = malloc(1000 * sizeof *many);
    for (int i = 0; i < 1000; i++)
        many[i] = i * (comm->rank + 1);
    CHECK(comm->reduce(comm, many, 1000, COMM_SUM, &err) == 0, "reduce of 1000");
    for (int i = 0; i < 1000; i++)
        CHECK(many[i] == i * n * (n + 1) / 2, "sum %d", i);
    free(many);

    if (comm->rank == comm->size - 1)
        snprintf(text, sizeof text, "from the last");
    CHECK(comm->broadcast(comm, text, sizeof text, comm->size - 1, &err) == 0, "broadcast");
    CHECK(strcmp(text, "from the last") == 0, "got '%s'", text);

    for (int i = 0; i < comm->size; i++)
        counts[i] = (size_t)i * 3 % 5; /* also none */
    memset(send, comm->rank + 1, sizeof send);
    CHECK(comm->allgatherv(comm, send, recv, counts, &err) == 0, "allgatherv");
    for (int i = 0; i < comm->size; i++)
        for (size_t k = 0; k < counts[i]; k++, at++)
            CHECK(recv[at] == i + 1, "byte %zu is %d", at, recv[at]);
    memset(recv, 0, sizeof recv);
    CHECK(comm->gatherv(comm, send, counts[comm->rank], comm->rank ? NULL : recv,
                        comm->rank ? NULL : counts, &err) == 0,
          "gatherv");
    at = 0;
    for (int i = 0; i < comm->size && comm->rank == 0; i++)
        for (size_t k = 0; k < counts[i]; k++, at++)
            CHECK(recv[at] == i + 1, "gathered byte %zu is %d", at, recv[at]);
    CHECK(comm->barrier(comm, &err) == 0, "barrier");

    char wanted[256];
    int rc = comm->rank == 1 ? err_set(&err, "the cube is cut") : 0;
    rc = comm_agree(comm, rc, &err);
    if (comm->size > 1) {
        snprintf(wanted, sizeof wanted, "rank 1 (%s): the cube is cut", comm_mpi_node(comm, 1));
        CHECK(rc < 0 && strcmp(err.text, wanted) == 0, "agree: %s", err.text);
    }
    return 0;
}

/* The first and the last rank send messages in which the others have no part. */
static int send_some(void)
{
    float *p = comm->alloc(comm, 64 * sizeof *p, &err);
    const bool begins = comm->rank == 0, has_part = begins || comm->rank == comm->size - 1;
    double seconds;

    CHECK(p, "alloc");
    for (int i = 0; i < 3 && has_part; i++)
        CHECK(comm->echo(comm, begins ? comm->size - 1 : 0, begins, p, 64, &seconds, &err) == 0,
              "echo");
    comm->free(comm, p);
    return 0;
}

/* The last rank makes trouble; the others must learn who and where, and end. */
static int expect_failure(const char *kind)
{
    float *p = comm->alloc(comm, 4096 * sizeof *p, &err);
    int request, rc;

    CHECK(p, "alloc");
    signal(SIGTERM, SIG_IGN);
    signal(SIGUSR1, SIG_IGN); /* MPICH says so that a peer has ended */
    if (strcmp(kind, "behind") == 0 && send_some())
        return 1;
    CHECK(comm->barrier(comm, &err) == 0, "barrier");
    if (comm->rank == comm->size - 1) {
        if (strcmp(kind, "late") == 0 || strcmp(kind, "behind") == 0)
            for (double until = strcmp(kind, "late") == 0 ? 2.5 : 12; until > 0;
                 until -= 0.01, nap(0.01))
                comm->progress(comm, &err);
        raise(strcmp(kind, "stop") == 0 ? SIGSTOP : SIGKILL);
    }
    nap(0.2);
    rc = comm->allreduce_start(comm, p, 4096, &request, &err);
    if (rc == 0)
        rc = comm->wait(comm, request, &err);
    CHECK(rc < 0 && comm_mpi_failed(comm), "no failure");
    CHECK(comm_mpi_culprit(comm) == comm->size - 1, "culprit %d", comm_mpi_culprit(comm));
    CHECK(comm_mpi_speaker(comm) == 0, "speaker %d", comm_mpi_speaker(comm));
    fprintf(stderr, "rank %d: %s\n", comm->rank, err.text);
    err.text[0] = '\0';
    CHECK(comm->barrier(comm, &err) < 0 && err.text[0], "usable after a failure");
    fflush(NULL);
    comm_mpi_linger(comm, 1);
    if (comm->rank == 0)
        MPI_Abort(MPI_COMM_WORLD, 4);
    nap(5);
    _exit(4);
}

/* On one machine the true offset is 0: what is said must hold it. */
static int test_clocks(const char *asked)
{
    const bool ask = strcmp(asked, "asked") == 0;

    for (int i = 0; i < 3; i++) {
        CHECK(comm->compare_clocks(comm, &err) == 0, "no clocks:");
        CHECK(comm->size == 1 || strcmp(comm->clock_method, ask ? "ping-pong" : "same kernel") == 0,
              "method '%s'", comm->clock_method);
        CHECK(comm->clock.bound >= 0 && comm->clock.bound < 1, "bound %g", comm->clock.bound);
        CHECK(fabs(comm->clock.seconds) <= comm->clock.bound, "offset %g is not within %g",
              comm->clock.seconds, comm->clock.bound);
        CHECK(!ask || comm->rank == 0 || comm->clock.bound > 0, "a bound of %g", comm->clock.bound);
    }
    return 0;
}

/* Each pair in turn, in both directions: what is sent arrives, whoever waits for whom. */
static int test_echo(const char *argument)
{
    const size_t lengths[] = {1, 256, 300000};
    float *buf = comm->alloc(comm, 300000 * sizeof *buf, &err);

    (void)argument;
    CHECK(buf, "no memory:");
    CHECK(comm->node_of(comm, 0) == 0, "rank 0 is on node %d", comm->node_of(comm, 0));
    for (int a = 0; a < comm->size; a++)
        for (int b = 0; b < comm->size; b++) {
            const bool begins = comm->rank == a;
            if (a == b || (comm->rank != a && comm->rank != b))
                continue;
            for (int k = 0; k < 3; k++) {
                double seconds = -1;
                fill(buf, lengths[k], 10 * a + b);
                if (!begins)
                    nap(0.001);
                CHECK(comm->echo(comm, begins ? b : a, begins, buf, lengths[k], &seconds, &err) ==
                          0,
                      "no echo:");
                CHECK(!begins || seconds > 0, "%g s", seconds);
                for (size_t i = 0; i < lengths[k]; i++)
                    CHECK(buf[i] == value(a, i, 10 * a + b), "float %zu of %zu is not rank %d's", i,
                          lengths[k], a);
            }
        }
    comm->free(comm, buf);
    return 0;
}

static int alone(const struct comm *c, int rank)
{
    (void)c;
    return rank;
}

static bool in_order(const struct result_value *v)
{
    return isfinite(v->value) && v->low >= 0 && v->low <= v->value && v->value <= v->high;
}

/* The transport's own test on real messages, each rank a node for itself. */
static int test_transport(const char *argument)
{
    const struct workload_host host = {.comm = comm, .now = clock_now};
    const struct transport t = {
        .host = &host, .bucket_bytes = 100000, .period_seconds = 0.001, .trained_seconds = 10};
    struct result_transport r;
    int links = comm->size * (comm->size - 1);

    (void)argument;
    comm->node_of = alone;
    CHECK(transport_run(&t, &r, &err) == 0, "no test:");
    CHECK(r.rounds >= 5 && r.rounds <= 9 && !r.reason[0], "%d rounds: %s", r.rounds, r.reason);
    if (comm->rank > 0)
        return 0;
    CHECK(r.links == links, "%d links, not %d", r.links, links);
    CHECK(in_order(&r.alpha) && r.alpha.value > 0, "alpha %g", r.alpha.value);
    CHECK(in_order(&r.software) && in_order(&r.rate), "c %g, rate %g", r.software.value,
          r.rate.value);
    for (int i = 0; i < 3; i++)
        CHECK(in_order(&r.sum[i].seconds) && r.sum[i].seconds.value > 0, "sum %d: %g", i,
              r.sum[i].seconds.value);
    for (int i = 0; i < r.n_links; i++)
        CHECK(in_order(&r.link[i].alpha) && in_order(&r.link[i].rate) &&
                  r.link[i].from != r.link[i].to,
              "link %d", i);
    return 0;
}

/* A step's sum of n floats as the training stamps it. */
static int stamped_sum(float *p, size_t n, struct step_row *row)
{
    const bool by_messages = getenv("NO_WINDOW") != NULL;
    const bool whole = n * (size_t)comm->size <= 16384;
    int request;

    *row = (struct step_row){.begin = clock_now() - 1e-3, .waits = 1};
    const double begun = clock_now();
    CHECK(comm->allreduce_start(comm, p, n, &request, &err) == 0, "no sum:");
    CHECK(comm->wait(comm, request, &err) == 0, "no wait:");
    const double end = clock_now(), first = whole ? comm->done : comm->half;
    CHECK((comm->half > 0) == (by_messages && !whole), "a half of %zu floats", n);
    CHECK((comm->done > 0) == by_messages && (comm->since > 0) == by_messages, "of %zu floats", n);
    if (!by_messages)
        return 0;
    CHECK(begun <= first && first <= comm->done && comm->done <= end, "%g, %g of %g", first - begun,
          comm->done - begun, end - begun);
    CHECK(comm->since < first, "it was not over %g s after it was", comm->since - first);
    row->start[0] = (float)(begun - row->begin);
    row->half_of[0] = whole ? -1 : (float)(comm->half - row->begin);
    row->done_of[0] = (float)(comm->done - row->begin);
    row->since_of[0] = (float)(comm->since - row->begin);
    row->bytes_of[0] = (float)(n * sizeof *p);
    return 0;
}

/* Stamps of real sums, short and long, and what they say. */
static int test_stamps(const char *argument)
{
    enum { STEPS = 60 };
    static struct step_row rows[STEPS];
    static struct wire w;
    const size_t floats[] = {1000, 50000, 400000};
    const struct steps s = {rows, STEPS, STEPS};
    float *p = comm->alloc(comm, floats[2] * sizeof *p, &err);
    struct result_wire r;

    (void)argument;
    CHECK(p, "no memory:");
    for (int k = 0; k < STEPS; k++)
        if (stamped_sum(p, floats[k % 3], &rows[k]))
            return 1;
    CHECK(wire_epoch(&w, &s, 0, comm, &err) == 0, "no maxima:");
    wire_fit(&w, comm->size, &r);
    comm->free(comm, p);
    /* all but the rank that began last; two may have begun in one nanosecond */
    double sums = 0;
    const double most = getenv("NO_WINDOW") ? (double)STEPS * (comm->size - 1) : 0;
    for (int i = 0; i < w.sizes; i++)
        sums += (double)w.size[i].sums;
    CHECK(comm->reduce(comm, &sums, 1, COMM_SUM, &err) == 0, "no sum of sums:");
    CHECK(sums <= most && sums >= 0.8 * most, "%g sums, not %g", sums, most);
    if (r.sums == 0)
        return 0;
    CHECK(r.least_bytes >= 4000 && r.most_bytes <= 1600000.0 / comm->size, "%g to %g bytes",
          r.least_bytes, r.most_bytes);
    CHECK(r.alpha.low >= 0 && r.alpha.high > 0 && r.rate.low > 0, "alpha to %g, rate from %g",
          r.alpha.high, r.rate.low);
    return 0;
}

/* The ranks of a node among themselves, beside all of them, as often as one likes. */
static int test_node(const char *argument)
{
    enum { FLOATS = 5000 };

    (void)argument;
    for (int again = 0; again < 2; again++) {
        struct comm *node = comm->of_node(comm, &err);
        CHECK(node, "no node:");
        CHECK(node->size == comm->local_size && node->rank == comm->local_rank, "rank %d of %d",
              node->rank, node->size);
        CHECK(strcmp(node->node, comm->node) == 0, "on %s", node->node);
        float *all = comm->alloc(comm, FLOATS * sizeof *all, &err);
        float *own = node->alloc(node, FLOATS * sizeof *own, &err);
        int of_all, of_node;
        CHECK(all && own, "alloc");
        for (int i = 0; i < FLOATS; i++) {
            all[i] = (float)(comm->rank + i);
            own[i] = (float)(node->rank + 2 * i);
        }
        CHECK(comm->allreduce_start(comm, all, FLOATS, &of_all, &err) == 0, "start");
        CHECK(node->allreduce_start(node, own, FLOATS, &of_node, &err) == 0, "start");
        CHECK(node->wait(node, of_node, &err) == 0 && comm->wait(comm, of_all, &err) == 0, "wait");
        for (int i = 0; i < FLOATS; i++) {
            const int n = comm->size, m = node->size;
            CHECK(all[i] == (float)(n * (n - 1) / 2 + n * i), "all[%d] %g", i, (double)all[i]);
            CHECK(own[i] == (float)(m * (m - 1) / 2 + 2 * m * i), "own[%d] %g", i, (double)own[i]);
        }
        node->free(node, own);
        comm->close(node);
        comm->free(comm, all);
        CHECK(comm->barrier(comm, &err) == 0, "barrier");
    }
    return 0;
}

static const struct {
    const char *name;
    int (*run)(const char *argument);
    double timeout_seconds;
} cases[] = {
    {"sums", test_sums, 20},     {"many", test_many, 20}, {"blocking", test_blocking, 20},
    {"clocks", test_clocks, 20}, {"echo", test_echo, 20}, {"transport", test_transport, 60},
    {"fail", expect_failure, 1}, {"node", test_node, 20}, {"slow", expect_failure, 4},
    {"stamps", test_stamps, 60},
};

int main(int argc, char **argv)
{
    int rc = 2, provided;

    MPI_Init_thread(&argc, &argv, MPI_THREAD_FUNNELED, &provided);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (argc < 2 || strcmp(argv[1], cases[i].name) != 0)
            continue;
        struct comm_mpi_options o = {
            .timeout_seconds = cases[i].timeout_seconds,
            .no_window = getenv("NO_WINDOW") != NULL,
            .ask_clocks = argc > 2 && strcmp(argv[2], "asked") == 0,
        };
        comm = comm_mpi_create(&o, &err);
        if (!comm) {
            fprintf(stderr, "%s\n", err.text);
            MPI_Abort(MPI_COMM_WORLD, 1);
        }
        rc = cases[i].run(argc > 2 ? argv[2] : "");
        if (rc)
            MPI_Abort(MPI_COMM_WORLD, 1);
        comm_mpi_destroy(comm);
    }
    MPI_Finalize();
    return rc;
}
