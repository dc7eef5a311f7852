/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "tests/papi/answers.h"

#include <math.h>
#include <string.h>

#include "tests/unit.h"

void assert_reason(struct measure m, const char *words)
{
    if (!m.reason || !strstr(m.reason, words))
        fail_msg("reason is \"%s\", wanted \"%s\" (value %g)", m.reason ? m.reason : "(none)",
                 words, m.value);
}

void assert_value(struct measure m, double value)
{
    if (m.reason)
        fail_msg("null because \"%s\", wanted %g", m.reason, value);
    if (fabs(m.value - value) > 1e-9 * fmax(1, fabs(value)))
        fail_msg("%.17g, wanted %.17g", m.value, value);
}

void assert_answers(const struct counters *c)
{
    for (int i = 0; i < COUNTER_COUNT; i++) {
        double ratio = counters_ratio(c, i);

        for (int p = 0; p <= PHASE_COUNT; p++) {
            struct measure m = counters_value(c, i, (enum phase)p);

            if (m.reason ? strlen(m.reason) < 5 : !(isfinite(m.value) && m.value >= 0))
                fail_msg("%s in phase %d: %g, \"%s\"", counters_info(i)->name, p, m.value,
                         m.reason ? m.reason : "");
            if (!m.reason && !counters_source(c, i)[0])
                fail_msg("%s has a value from nowhere", counters_info(i)->name);
        }
        assert_true(isnan(ratio) || (ratio >= 0 && ratio <= 1));
    }
}
