/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Network devices of the rank's network namespace, from /proc/self/net/dev:
 * /sys/class/net may be mounted for another namespace. Counted are devices
 * with hardware behind them (bridges, bonds and VLANs would count the same
 * bytes again); where none has (containers, fake nodes), all but the loopback.
 */
#include <config.h>

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "papi/backend.h"

#define NET_DEV "/proc/self/net/dev"

/* Columns of /proc/net/dev: 8 of receive, 8 of transmit. */
static const struct {
    int counter;
    int field[2];
} rows[] = {
    {COUNTER_net_receive_bytes, {0, -1}},   {COUNTER_net_transmit_bytes, {8, -1}},
    {COUNTER_net_receive_packets, {1, -1}}, {COUNTER_net_transmit_packets, {9, -1}},
    {COUNTER_net_errors, {2, 10}},          {COUNTER_net_drops, {3, 11}},
};

enum { ROWS = sizeof(rows) / sizeof(*rows), MAX_DEVICES = 64, NAME_BYTES = 32 };

struct device {
    char name[NAME_BYTES];
    bool hardware;
};

static bool has_hardware(const struct counters *c, const char *name)
{
    char path[128], full[512];

    snprintf(path, sizeof(path), "/sys/class/net/%s/device", name);
    root_path(c, full, sizeof(full), path);
    return access(full, F_OK) == 0;
}

/* Devices but the loopback; more than max are not told. */
static int list(struct counters *c, const char *text, struct device *d, int max)
{
    int n = 0;

    for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
        const char *name = line + strspn(line, " ");
        size_t len = strcspn(name, ":\n");

        if (name[len] != ':' || len == 0 || len >= NAME_BYTES || n == max)
            continue;
        snprintf(d[n].name, NAME_BYTES, "%.*s", (int)len, name);
        d[n].hardware = has_hardware(c, d[n].name);
        n += strcmp(d[n].name, "lo") != 0;
    }
    return n;
}

static int add(struct counters *c, const struct device *d)
{
    for (int i = 0; i < ROWS; i++) {
        /* Some drivers still count in 32 bits. */
        struct source s = {.counter = rows[i].counter,
                           .scale = 1,
                           .wrap = 4294967296.0,
                           .wrap_from = 2147483648.0};

        for (int k = 0; k < 2 && rows[i].field[k] >= 0; k++)
            if (source_file(c, &s, NET_DEV, (struct pick){d->name, rows[i].field[k], PICK_FIRST}) <
                0)
                return -1;
    }
    return 0;
}

static void tell(struct counters *c, const char *names)
{
    char id[128] = "", full[512];

    root_path(c, full, sizeof(full), "/proc/self/ns/net");
    if (readlink(full, id, sizeof(id) - 1) < 0)
        snprintf(id, sizeof(id), "net");
    for (int i = 0; i < ROWS; i++) {
        counter_from(c, rows[i].counter, "%s:%s", NET_DEV, names);
        counter_domain(c, rows[i].counter, id);
    }
}

static int probe(struct counters *c)
{
    struct device d[MAX_DEVICES];
    static char text[FILE_BYTES];
    char names[SOURCE_TEXT_BYTES] = "", why[REASON_BYTES];
    ssize_t got = read_small(c, NET_DEV, text, sizeof(text));
    bool hardware = false;
    int n;

    if (got < 0) {
        why_unread(c, NET_DEV, (int)-got, why, sizeof(why));
        backend_off(c, "net", "%s", why);
        return 0;
    }
    n = list(c, text, d, MAX_DEVICES);
    for (int i = 0; i < n; i++)
        hardware |= d[i].hardware;
    for (int i = 0; i < n; i++) {
        if (d[i].hardware != hardware)
            continue;
        if (add(c, &d[i]) < 0)
            return -1;
        strncat(names, " ", sizeof(names) - strlen(names) - 1);
        strncat(names, d[i].name, sizeof(names) - strlen(names) - 1);
    }
    if (n == 0)
        backend_off(c, "net", "%s: no device but the loopback", NET_DEV);
    else
        tell(c, names);
    return 0;
}

const struct backend backend_net = {.name = "net", .bit = BACKEND_NET, .probe = probe};
