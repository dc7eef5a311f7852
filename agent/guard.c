/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/guard.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "reports/core/clock.h"

enum { EXIT_PARTIAL = 4, ALARM_SECONDS = 10 };

static const double tick_seconds = 0.05;
/* A tick later than this came to a process that stood still. */
static const double still_seconds = 2;
/* Within so many seconds after it the SIGCONT is seen. */
static const double cont_seconds = 1;

static const struct {
    int number;
    const char *name;
} signals[] = {
    {SIGTERM, "SIGTERM"}, {SIGINT, "SIGINT"},   {SIGUSR1, "SIGUSR1"},
    {SIGUSR2, "SIGUSR2"}, {SIGXCPU, "SIGXCPU"},
};
enum { N_SIGNALS = sizeof signals / sizeof signals[0] };

/* One per process, as signals are. */
static struct guard {
    struct guard_options o;
    pthread_t thread;
    volatile sig_atomic_t told; /* 1 + index of the signal */
    volatile sig_atomic_t continued;
    atomic_bool running, finishing;
    pthread_mutex_t lock; /* of those below */
    const char *blocking; /* call that the main thread is in; NULL: none */
    double since;
    double stood;
    double end, grace; /* end 0: none */
} guard = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void on_signal(int number)
{
    for (int i = 0; i < N_SIGNALS && !guard.told; i++)
        if (signals[i].number == number)
            guard.told = i + 1;
}

static void on_continue(int number)
{
    (void)number;
    guard.continued = 1;
}

bool guard_told(void)
{
    return guard.told != 0;
}

const char *guard_signal(void)
{
    return guard.told ? signals[guard.told - 1].name : "";
}

double guard_stood(void)
{
    pthread_mutex_lock(&guard.lock);
    double seconds = guard.stood;
    pthread_mutex_unlock(&guard.lock);
    return seconds;
}

void guard_finishing(void)
{
    atomic_store(&guard.finishing, true);
}

void guard_blocking(void *ctx, const char *what)
{
    (void)ctx;
    pthread_mutex_lock(&guard.lock);
    guard.blocking = what;
    guard.since = clock_now();
    pthread_mutex_unlock(&guard.lock);
}

/* The call that has taken too long, NULL: none. */
static const char *overdue(double *seconds)
{
    pthread_mutex_lock(&guard.lock);
    const char *what = guard.blocking;
    *seconds = clock_now() - guard.since;
    pthread_mutex_unlock(&guard.lock);
    return *seconds > guard.o.timeout_seconds ? what : NULL;
}

void guard_end(double when, double grace_seconds)
{
    pthread_mutex_lock(&guard.lock);
    guard.end = when;
    guard.grace = grace_seconds;
    pthread_mutex_unlock(&guard.lock);
}

/* Seconds since the end, negative before it; part of the grace: *grace. */
static double past_end(double *grace)
{
    pthread_mutex_lock(&guard.lock);
    double past = guard.end > 0 ? clock_now() - guard.end : -1;
    *grace = guard.grace;
    pthread_mutex_unlock(&guard.lock);
    return past;
}

bool guard_late(void *ctx)
{
    double grace, past = past_end(&grace);

    (void)ctx;
    return past >= grace / 2;
}

/* What the guard's thread knows of standing still. */
struct still {
    double tick;      /* the last one */
    double gap, seen; /* not yet explained by a SIGCONT; when it was seen */
};

/* Seconds that no time-out may count. */
static double standing(struct still *s)
{
    double at = clock_now(), gap = at - s->tick;

    s->tick = at;
    if (gap <= still_seconds)
        gap = 0;
    pthread_mutex_lock(&guard.lock);
    guard.since += gap;
    guard.end += guard.end > 0 ? gap : 0;
    if (gap > 0) {
        s->gap += gap;
        s->seen = at;
    } else if (at - s->seen > cont_seconds) {
        s->gap = 0; /* a pause of the machine: it stopped the clocks of all alike */
        guard.continued = 0;
    }
    if (guard.continued) {
        guard.stood += s->gap;
        s->gap = 0;
    }
    pthread_mutex_unlock(&guard.lock);
    return gap;
}

/* The process ends here. The emergency itself may hang, in a file system that
 * does not answer: then the alarm ends it. */
static void end_now(const char *sentence)
{
    sigset_t clock;

    signal(SIGALRM, SIG_DFL);
    sigemptyset(&clock);
    sigaddset(&clock, SIGALRM);
    pthread_sigmask(SIG_UNBLOCK, &clock, NULL);
    alarm(ALARM_SECONDS);
    guard.o.emergency(guard.o.ctx, sentence, true);
    _exit(EXIT_PARTIAL);
}

/* Ends the process when it may not go on. told: when the signal came, 0. */
static void end_what_hangs(double told)
{
    char text[160];
    double seconds, grace, past = past_end(&grace);
    const char *what = overdue(&seconds);
    /* who writes the record already gets the time twice */
    double patience = guard.o.grace_seconds * (atomic_load(&guard.finishing) ? 2 : 1);

    if (what)
        snprintf(text, sizeof text, "%s has not come back for %.0f s", what, seconds);
    else if (past >= grace)
        snprintf(text, sizeof text, "its time has been over for %.0f s and it has not ended", past);
    else if (told > 0 && clock_now() - told >= patience)
        snprintf(text, sizeof text, "stopped by %s %.0f s ago and it has not ended", guard_signal(),
                 clock_now() - told);
    else
        return;
    end_now(text);
}

static void *watch(void *arg)
{
    const struct timespec tick = {0, (long)(tick_seconds * 1e9)};
    struct still still = {.tick = clock_now()};
    double told = 0;
    bool interim = false;
    char text[128];

    while (atomic_load(&guard.running)) {
        nanosleep(&tick, NULL);
        double stood = standing(&still);
        told += told > 0 ? stood : 0;
        if (guard.told && told == 0)
            told = clock_now();
        end_what_hangs(told);
        if (told > 0 && !interim && !atomic_load(&guard.finishing) &&
            clock_now() - told >= guard.o.patience_seconds) {
            interim = true;
            snprintf(text, sizeof text, "stopped by %s", guard_signal());
            guard.o.emergency(guard.o.ctx, text, false);
        }
    }
    return arg;
}

int guard_start(const struct guard_options *o, struct err *e)
{
    struct sigaction action = {.sa_handler = on_signal, .sa_flags = SA_RESTART};
    sigset_t all, before;

    guard.o = *o;
    for (int i = 0; i < N_SIGNALS; i++)
        sigaction(signals[i].number, &action, NULL);
    action.sa_handler = on_continue;
    sigaction(SIGCONT, &action, NULL);
    atomic_store(&guard.running, true);
    /* Signals are the main thread's: its sleeps end early, others go on. */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    int rc = pthread_create(&guard.thread, NULL, watch, NULL);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (rc != 0) {
        atomic_store(&guard.running, false);
        return err_set(e, "cannot start a thread: %s", strerror(rc));
    }
    return 0;
}

void guard_stop(void)
{
    if (atomic_exchange(&guard.running, false))
        pthread_join(guard.thread, NULL);
}
