/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/energy.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reports/core/spawn.h"

enum { MOST_OUTPUT = 4096, CODE_LATE = 124, CODE_NOT_STARTED = 127 };

static const char by_slurm[] = "slurm";

bool energy_asked(const struct energy *n)
{
    return n->how[0] != '\0';
}

static bool of_slurm(const struct energy *n)
{
    return strcmp(n->how, by_slurm) == 0;
}

const char *energy_source(const struct energy *n)
{
    return of_slurm(n) ? "Slurm's acct_gather_energy (sstat)" : "the site's command (energy)";
}

/* ---- a reading ---- */

double energy_parse(const char *text, struct err *e)
{
    static const struct {
        const char *unit;
        double joules;
    } units[] = {{"J", 1}, {"kJ", 1e3}, {"Wh", 3600}, {"kWh", 3.6e6}};
    char *end, unit[8] = "", rest[2] = "";
    const double number = strtod(text, &end);

    if (end != text && isfinite(number) && number >= 0 &&
        sscanf(end, " %7[A-Za-z] %1s", unit, rest) == 1)
        for (size_t i = 0; i < sizeof units / sizeof *units; i++)
            if (strcmp(unit, units[i].unit) == 0)
                return number * units[i].joules;
    err_set(e, "'%.*s' is not a count of energy; 'NUMBER J' is one (kJ, Wh, kWh)",
            (int)strcspn(text, "\n") < 48 ? (int)strcspn(text, "\n") : 48, text);
    return NAN;
}

/* sstat prints a line for each step that it was asked of: one. */
static double slurm_parse(const char *text, struct err *e)
{
    char *end;
    const double number = strtod(text, &end);

    if (end != text && isfinite(number) && number >= 0 && end[strspn(end, " |\n")] == '\0')
        return number;
    err_set(e, "sstat says no energy of this step: '%.*s'",
            (int)strcspn(text, "\n") < 48 ? (int)strcspn(text, "\n") : 48, text);
    return NAN;
}

static double read_now(const struct energy *n, struct err *e)
{
    const char *const sstat[] = {
        "sstat",  "--noheader", "--parsable2", "--format", "ConsumedEnergyRaw",
        "--jobs", n->step,      NULL};
    const char *const command[] = {n->how, NULL};
    const struct spawn s = {.argv = of_slurm(n) ? sstat : command,
                            .env = (const char *const *)environ,
                            .in = SPAWN_NULL,
                            .search = of_slurm(n)};
    const char *name = of_slurm(n) ? "sstat" : "the site's command";
    char *text = NULL;
    double joules = NAN;

    if (of_slurm(n) && !n->step[0]) {
        err_set(e, "energy = slurm, but Slurm did not start this run");
        return NAN;
    }
    const int code = spawn_run(&s, ENERGY_SECONDS, MOST_OUTPUT, &text);
    if (code == CODE_LATE)
        err_set(e, "%s did not end within %d s", name, ENERGY_SECONDS);
    else if (code == CODE_NOT_STARTED)
        err_set(e, "%s could not be started", name);
    else if (code)
        err_set(e, "%s ended with %d: %.*s", name, code, text ? (int)strcspn(text, "\n") : 0,
                text ? text : "");
    else
        joules = of_slurm(n) ? slurm_parse(text, e) : energy_parse(text, e);
    free(text);
    return joules;
}

/* ---- a workload ---- */

void energy_begin(struct energy *n, const struct comm *c, bool leader)
{
    n->why = (struct err)ERR_INIT;
    n->begun = n->then = n->joules = n->total = NAN;
    n->stopped = false;
    n->reads = energy_asked(n) && (of_slurm(n) ? c->rank == 0 : leader);
    if (n->reads)
        n->begun = read_now(n, &n->why);
}

void energy_stop(struct energy *n)
{
    if (n->stopped || !n->reads || !isfinite(n->begun))
        return;
    n->then = read_now(n, &n->why);
    n->stopped = true;
}

/* This rank's own part; -1 and a sentence. */
static int read_end(struct energy *n)
{
    if (!n->reads)
        return 0;
    energy_stop(n);
    const double now = n->then;
    if (!isfinite(now))
        return -1;
    if (now < n->begun)
        return err_set(&n->why, "%s counted %.6g J and then %.6g J: it went back",
                       of_slurm(n) ? "sstat" : "the site's command", n->begun, now);
    n->joules = now - n->begun;
    if (of_slurm(n) && now == 0)
        return err_set(&n->why, "Slurm reads no energy here (AcctGatherEnergyType of slurm.conf)");
    return 0;
}

int energy_end(struct energy *n, struct comm *c, struct err *e)
{
    double v[1];

    if (!energy_asked(n))
        return 0;
    const int own = read_end(n);
    v[0] = own < 0 ? 0 : n->reads ? n->joules : 0;
    struct err said = n->why;
    if (comm_agree(c, own, &said) < 0) {
        n->why = said;
        n->joules = NAN;
        return 0;
    }
    if (c->size > 1 && c->reduce(c, v, 1, COMM_SUM, e) < 0)
        return -1;
    n->total = v[0];
    return 0;
}
