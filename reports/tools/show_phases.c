/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/tools/show_phases.h"

#include <cjson/cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "reports/record/fields.h"
#include "reports/tools/show_text.h"
#include "reports/tools/show_verdict.h"

/* What a phase is made of: "input 3 %, compute 90 %, wait 7 %", of the medians. */
static void show_parts(const cJSON *w, const char *phase)
{
    const cJSON *parts = json_at(json_at(w, "splits"), phase), *part;
    char text[256] = "";
    double sum = 0;
    size_t n = 0;

    cJSON_ArrayForEach(part, parts) sum += json_number(part, "median_seconds", 0);
    if (!(sum > 0) || !isfinite(sum))
        return;
    cJSON_ArrayForEach(part, parts)
    {
        const double of = json_number(part, "median_seconds", 0) / sum;
        if (of >= 0.005 && part->string && n < sizeof text)
            n += (size_t)snprintf(text + n, sizeof text - n, "%s%s %.0f %%", n ? ", " : "",
                                  part->string, 100 * of);
    }
    show_wrapped("      of it       ", text, 18);
}

/* How fast the processor was while this ran, by its yardstick. */
static void show_yardstick(const cJSON *w)
{
    if (!(show_number(w, "yardstick.speed") > 0))
        return;
    show_line("    slowest rank's processor %.2f of its start; convolution %s of CPU",
              show_number(w, "yardstick.least_speed"),
              show_duration(show_number(w, "yardstick.cpu.mean_seconds")).text);
}

/* Accelerator utilisation, and the processor's speed, in one line. */
static void show_use(const cJSON *w)
{
    const double au = verdict_au(w), speed = show_number(w, "yardstick.speed");
    char text[48] = "";

    if (speed > 0)
        snprintf(text, sizeof text, "processor %.2f of its start", speed);
    if (isfinite(au))
        show_line("    AU (compute over compute and input wait): %.0f %%%s%s", 100 * au,
                  text[0] ? ", " : "", text);
    else if (text[0])
        show_line("    %s", text);
}

/* Medians over ranks as parts of their sum; the slowest rank's node beside. */
void show_phases(const cJSON *w, bool why)
{
    const cJSON *phases = json_at(w, "phases"), *phase;
    double sum = 0;

    cJSON_ArrayForEach(phase, phases) sum += json_number(phase, "median_seconds", 0);
    if (!(sum > 0) || !isfinite(sum))
        return;
    show_line("  where the time went         median                        slowest rank");
    cJSON_ArrayForEach(phase, phases)
    {
        double median = json_number(phase, "median_seconds", 0);
        double most = json_number(phase, "max_seconds", 0);
        char bar[21] = "";
        if (most <= 0 || median < 0 || !(median <= sum) || !phase->string)
            continue;
        memset(bar, '#', (size_t)(20 * (median / sum) + 0.5));
        show_line("    %-17.17s %12s %4.0f %%  %-20s  %10s  %s", phase->string,
                  show_duration(median).text, 100 * (median / sum), bar, show_duration(most).text,
                  json_text(phase, "max_node", ""));
        if (why)
            show_parts(w, phase->string);
    }
    if (show_number(w, "data.made_seconds") > 0)
        show_line("    of staging, %s went into making the data set",
                  show_duration(show_number(w, "data.made_seconds")).text);
    show_use(w);
    if (why)
        show_yardstick(w);
}
