/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * InfiniBand and RoCE ports. port_*_data counts words of 4 bytes (InfiniBand
 * Architecture Specification, PortCounters). The old counters do not wrap:
 * they stay at their largest value, and then nothing is known.
 */
#include <config.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "papi/backend.h"

#define CLASS "/sys/class/infiniband"

enum { PATH = 384 };

/* One row per file; `ext` is where kernels before 4.6 keep the 64-bit one. */
static const struct {
    int counter;
    double scale;
    const char *file;
    const char *ext;
    double stuck;
} rows[] = {
    {COUNTER_ib_receive_bytes, 4, "port_rcv_data", "port_rcv_data_64", 4294967295.0},
    {COUNTER_ib_transmit_bytes, 4, "port_xmit_data", "port_xmit_data_64", 4294967295.0},
    {COUNTER_ib_transmit_wait, 1, "port_xmit_wait", NULL, 4294967295.0},
    {COUNTER_ib_errors, 1, "symbol_error", NULL, 65535},
    {COUNTER_ib_errors, 1, "port_rcv_errors", NULL, 65535},
    {COUNTER_ib_errors, 1, "port_xmit_discards", NULL, 65535},
    {COUNTER_ib_errors, 1, "link_error_recovery", NULL, 255},
    {COUNTER_ib_errors, 1, "link_downed", NULL, 255},
};

enum { ROWS = sizeof(rows) / sizeof(*rows) };

/* What the walk over devices and ports carries. */
struct walk {
    char device[64];
    int active, ports;
};

static int add(struct counters *c, const char *dir)
{
    char path[PATH], why[REASON_BYTES];

    for (int i = 0; i < ROWS; i++) {
        struct source s = {.counter = rows[i].counter, .scale = rows[i].scale};

        snprintf(path, sizeof(path), "%s/counters_ext/%s", dir, rows[i].ext ? rows[i].ext : "");
        if (!rows[i].ext || !can_pick(c, path, (struct pick){0}, why)) {
            snprintf(path, sizeof(path), "%s/counters/%s", dir, rows[i].file);
            s.stuck = rows[i].stuck;
        }
        /* Not every driver knows every kind of error. */
        if (s.counter == COUNTER_ib_errors && !can_pick(c, path, (struct pick){0}, why)) {
            counter_off(c, s.counter, "%s", why);
            continue;
        }
        if (source_file(c, &s, path, (struct pick){0}) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int port(struct counters *c, const char *name, void *ctx)
{
    struct walk *w = ctx;
    char dir[PATH - 64], path[PATH], state[64];

    snprintf(dir, sizeof(dir), CLASS "/%s/ports/%s", w->device, name);
    snprintf(path, sizeof(path), "%s/state", dir);
    read_line(c, path, state, sizeof(state));
    w->ports++;
    if (!strstr(state, "ACTIVE"))
        return 0;
    w->active++;
    return add(c, dir);
}

static int device(struct counters *c, const char *name, void *ctx)
{
    struct walk *w = ctx;
    char dir[PATH];

    if (strlen(name) >= sizeof(w->device))
        return 0;
    snprintf(w->device, sizeof(w->device), "%s", name);
    snprintf(dir, sizeof(dir), CLASS "/%s/ports", name);
    return each_name(c, dir, port, w) == -ENOMEM ? -ENOMEM : 0;
}

static int probe(struct counters *c)
{
    struct walk w = {.ports = 0};
    int n = each_name(c, CLASS, device, &w);

    if (n == -ENOMEM)
        return -1;
    if (n == -ENOENT || n == 0)
        backend_off(c, "infiniband", "no device in " CLASS);
    else if (n < 0)
        backend_off(c, "infiniband", CLASS ": %s", strerror(-n));
    else
        backend_off(c, "infiniband", "none of %d InfiniBand ports is active", w.ports);
    for (int i = 0; i < ROWS; i++)
        if (counter_has_source(c, rows[i].counter))
            counter_from(c, rows[i].counter, CLASS "/*: %d active ports", w.active);
    return 0;
}

const struct backend backend_infiniband = {
    .name = "infiniband", .bit = BACKEND_INFINIBAND, .probe = probe};
