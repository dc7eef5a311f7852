/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A PAPI that plays any machine, built against the real <papi.h>. It keeps
 * PAPI's rules (a set is started once, one running set per thread, no event
 * without a component) and counts its sets, so that misuse is seen.
 */
#ifndef TESTS_PAPI_FAKE_PAPI_H
#define TESTS_PAPI_FAKE_PAPI_H

#include <stdbool.h>

enum { FAKE_EVENTS = 16, FAKE_SETS = 512 };

struct fake_event {
    const char *name; /* that can be added */
    bool cannot_start;
    long long step; /* what one read adds */
};

struct fake_machine {
    int version;          /* what the library answers, 0: its header's */
    const char *disabled; /* reason of the perf_event component */
    bool no_component;
    int slots;             /* events at once without multiplexing; 0: any */
    int multiplexed_slots; /* and with; 0: any */
    bool refuse_attach, refuse_inherit, refuse_multiplex;
    bool fail_read;
    unsigned long enabled, running; /* what the perf descriptors answer */
    struct fake_event events[FAKE_EVENTS];
};

extern struct fake_machine fake;

int fake_sets_alive(void); /* created and not destroyed */
int fake_sets_running(void);
int fake_misuses(void); /* rules broken so far */

#endif
