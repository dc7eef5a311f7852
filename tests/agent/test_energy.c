/* SPDX-License-Identifier: BSD-3-Clause */
/* Energy of whole nodes by a command or by Slurm: what is a count, and what is said of
 * what is none. */
#include <config.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "agent/energy.h"
#include "tests/unit.h"

static void counts(void **state)
{
    static const struct {
        const char *text;
        double joules; /* NAN: refused */
    } rows[] = {
        {"1234 J\n", 1234},    {" 1.5e3 kJ", 1.5e6}, {"2Wh\n\n", 7200}, {"0.25 kWh", 9e5},
        {"1234\n", NAN},       {"431 W", NAN},       {"J", NAN},        {"", NAN},
        {"-1 J", NAN},         {"nan J", NAN},       {"inf J", NAN},    {"1 J 2 J", NAN},
        {"1 J\n2 J", NAN},     {"1 MJ", NAN},        {"1 joules", NAN}, {"0x", NAN},
        {"1 Jjjjjjjjjj", NAN}, {"<html>", NAN},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct err e = ERR_INIT;
        const double joules = energy_parse(rows[i].text, &e);
        print_message("'%s': %g %s\n", rows[i].text, joules, e.text);
        assert_int_equal(isnan(joules), isnan(rows[i].joules));
        if (isfinite(joules))
            assert_true(fabs(joules - rows[i].joules) < 1e-6 * joules);
        assert_int_equal(e.text[0] == '\0', isfinite(joules));
    }
}

/* A program that runs that line of shell, with the number of its call in $n. */
static void program(const char *folder, const char *name, const char *line)
{
    char path[PATH_MAX + 16];

    snprintf(path, sizeof path, "%s/%s", folder, name);
    FILE *f = fopen(path, "we");
    assert_non_null(f);
    fprintf(f, "#!/bin/sh\nn=$(($(cat %s/n 2>/dev/null || echo 0) + 1)); echo $n >%s/n\n%s\n",
            folder, folder, line);
    assert_int_equal(fclose(f), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

/* A machine that is busy lets a line of shell wait longer than a command may take: again
 * then, unless that is what is tried. stops: the end is read before it is asked for, once. */
static struct energy read_twice(const struct energy *how, const char *count, bool ends, bool stops)
{
    struct energy n = {.how = ""};
    struct err e = ERR_INIT;

    for (int i = 0; i < 10; i++) {
        n = *how;
        unlink(count);
        energy_begin(&n, comm_self(), true);
        for (int k = 0; k < 2 && stops; k++)
            energy_stop(&n);
        assert_int_equal(energy_end(&n, comm_self(), &e), 0);
        if (!ends || !strstr(n.why.text, "did not end within"))
            break;
    }
    return n;
}

static void a_workload(void **state)
{
    static const struct {
        bool slurm;
        const char *line;
        double joules; /* NAN: none */
        const char *why;
    } rows[] = {
        {false, "echo $((n * 1000 + 7)) J", 1000, ""},
        {false, "echo 0.00$n kWh", 3600, ""},
        {false, "echo $((9 - n)) J", NAN,
         "the site's command counted 8 J and then 7 J: it went back"},
        {false, "echo $n W", NAN,
         "'1 W' is not a count of energy; 'NUMBER J' is one (kJ, Wh, kWh)"},
        {false, "echo broken >&2; exit 3", NAN, "the site's command ended with 3: broken"},
        {false, "echo two; exit $n; echo lines", NAN, "the site's command ended with 1: two"},
        {false, "exec sleep 600", NAN, "the site's command did not end within 5 s"},
        {true,
         "test \"$*\" = '--noheader --parsable2 --format ConsumedEnergyRaw --jobs 4711.0' && "
         "echo $((n * 50))",
         50, ""},
        {true, "echo 0", NAN, "Slurm reads no energy here (AcctGatherEnergyType of slurm.conf)"},
        {true, "echo", NAN, "sstat says no energy of this step: ''"},
        {true, "echo 'sstat: error: no steps running for job 4711' >&2; exit 1", NAN,
         "sstat ended with 1: sstat: error: no steps running for job 4711"},
    };
    char made[] = "test-energy-XXXXXX", folder[PATH_MAX], path[PATH_MAX + 16], all[2 * PATH_MAX];

    (void)state;
    assert_non_null(mkdtemp(made));
    assert_non_null(realpath(made, folder));
    snprintf(all, sizeof all, "%s:%s", folder, getenv("PATH") ? getenv("PATH") : "/usr/bin:/bin");
    assert_int_equal(setenv("PATH", all, 1), 0);
    for (size_t i = 0; i < 2 * sizeof rows / sizeof *rows; i++) {
        struct energy n = {.step = "4711.0"};
        const size_t row = i / 2;
        const bool sleeps = strstr(rows[row].line, "sleep");
        if (sleeps && i % 2)
            continue;
        print_message("%s\n", rows[row].line);
        snprintf(path, sizeof path, "%s/n", folder);
        program(folder, rows[row].slurm ? "sstat" : "joules", rows[row].line);
        if (rows[row].slurm)
            snprintf(n.how, sizeof n.how, "slurm");
        else
            snprintf(n.how, sizeof n.how, "%.*s/joules", PATH_MAX - 16, folder);
        n = read_twice(&n, path, !sleeps, i % 2);
        assert_string_equal(n.why.text, rows[row].why);
        assert_int_equal(isnan(n.total), isnan(rows[row].joules));
        if (isfinite(n.total))
            assert_true(fabs(n.total - rows[row].joules) < 1e-6 * n.total);
    }
    for (const char *const *name = (const char *const[]){"n", "joules", "sstat", NULL}; *name;
         name++) {
        snprintf(path, sizeof path, "%s/%s", folder, *name);
        unlink(path);
    }
    rmdir(folder);
}

/* Nobody asked, nobody to ask, no step: nothing is started. */
static void not_read(void **state)
{
    struct energy n = {.how = ""}, slurm = {.how = "slurm"}, gone = {.how = "/nowhere/joules"};
    struct err e = ERR_INIT;

    (void)state;
    energy_begin(&n, comm_self(), true);
    assert_int_equal(energy_end(&n, comm_self(), &e), 0);
    assert_false(energy_asked(&n));
    assert_true(isnan(n.total) && !n.why.text[0]);
    energy_begin(&slurm, comm_self(), true);
    assert_int_equal(energy_end(&slurm, comm_self(), &e), 0);
    assert_string_equal(slurm.why.text, "energy = slurm, but Slurm did not start this run");
    energy_begin(&gone, comm_self(), true);
    assert_int_equal(energy_end(&gone, comm_self(), &e), 0);
    assert_string_equal(gone.why.text, "the site's command could not be started");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counts),
        cmocka_unit_test(a_workload),
        cmocka_unit_test(not_read),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
