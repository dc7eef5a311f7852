/* SPDX-License-Identifier: BSD-3-Clause */
/* One table of the words. */
#include <config.h>

#include "reports/judge/verdict.h"

#include <stddef.h>
#include <string.h>

static const struct {
    const char *word;
    enum action action;
    enum alarm alarm;
} verdicts[VERDICT_COUNT] = {
    [VERDICT_GOOD] = {"GOOD", ACTION_NONE, ALARM_OK},
    [VERDICT_TRANSIENT] = {"TRANSIENT", ACTION_MONITOR, ALARM_OK},
    [VERDICT_INCONCLUSIVE] = {"INCONCLUSIVE", ACTION_NONE, ALARM_WARN},
    [VERDICT_SYSTEM] = {"SYSTEM", ACTION_NONE, ALARM_WARN},
    [VERDICT_SUSPECT] = {"SUSPECT", ACTION_MONITOR, ALARM_WARN},
    [VERDICT_UNKNOWN] = {"UNKNOWN", ACTION_RESET, ALARM_UNKNOWN},
    [VERDICT_SLOW] = {"SLOW", ACTION_ISOLATE, ALARM_CRITICAL},
    [VERDICT_FAULTY] = {"FAULTY", ACTION_ISOLATE, ALARM_CRITICAL},
};

static const char *const actions[] = {"", "MONITOR", "RESET", "ISOLATE"};
static const char *const alarms[] = {"OK", "WARN", "CRITICAL", "UNKNOWN"};

const char *verdict_word(enum verdict v)
{
    return verdicts[v].word;
}

int verdict_parse(const char *word)
{
    for (int v = 0; v < VERDICT_COUNT; v++)
        if (strcmp(verdicts[v].word, word) == 0)
            return v;
    return -1;
}

enum verdict verdict_worst(enum verdict a, enum verdict b)
{
    return a > b ? a : b;
}

enum action verdict_action(enum verdict v)
{
    return verdicts[v].action;
}

const char *action_word(enum action a)
{
    return actions[a];
}

enum alarm verdict_alarm(const int counts[VERDICT_COUNT])
{
    static const int gravity[] = {
        [ALARM_OK] = 0, [ALARM_WARN] = 1, [ALARM_UNKNOWN] = 2, [ALARM_CRITICAL] = 3};
    enum alarm worst = ALARM_OK;
    int nodes = 0;

    for (int v = 0; v < VERDICT_COUNT; v++) {
        nodes += counts[v];
        if (counts[v] > 0 && gravity[verdicts[v].alarm] > gravity[worst])
            worst = verdicts[v].alarm;
    }
    return nodes > 0 ? worst : ALARM_UNKNOWN;
}

const char *alarm_word(enum alarm a)
{
    return alarms[a];
}
