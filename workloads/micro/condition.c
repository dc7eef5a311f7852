/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/micro/condition.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "workloads/throttled.h"

enum { PATH = 512 };

/* The first number of a file; NAN. */
static double number_in(const char *path)
{
    FILE *f = fopen(path, "re");
    double v = NAN;

    if (f && fscanf(f, "%lf", &v) != 1)
        v = NAN;
    if (f)
        fclose(f);
    return v;
}

/* Second field of /proc/self/task/N/schedstat: nanoseconds on a run queue. */
static double delay_of(const char *task)
{
    char path[PATH];
    double run, wait;

    snprintf(path, sizeof path, "/proc/self/task/%.32s/schedstat", task);
    FILE *f = fopen(path, "re");
    if (!f)
        return 0; /* it has ended */
    if (fscanf(f, "%lf %lf", &run, &wait) != 2)
        wait = NAN;
    fclose(f);
    return wait * 1e-9;
}

static double delay(void)
{
    DIR *d = opendir("/proc/self/task");
    struct dirent *row;
    double sum = d ? 0 : NAN;

    while (d && (row = readdir(d)))
        if (row->d_name[0] != '.')
            sum += delay_of(row->d_name);
    if (d)
        closedir(d);
    return sum;
}

/* All but idle and waiting for disks; guests are in user already. */
static double busy(void)
{
    double user, nice_, system, idle, wait, irq, soft, steal, v = NAN;
    FILE *f = fopen("/proc/stat", "re");

    if (f && fscanf(f, "cpu %lf %lf %lf %lf %lf %lf %lf %lf", &user, &nice_, &system, &idle, &wait,
                    &irq, &soft, &steal) == 8)
        v = (user + nice_ + system + irq + soft + steal) / (double)sysconf(_SC_CLK_TCK);
    if (f)
        fclose(f);
    return v;
}

static double own(void)
{
    struct rusage u;

    if (getrusage(RUSAGE_SELF, &u) != 0)
        return NAN;
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) * 1e-6;
}

static double hertz(void)
{
    char path[PATH];
    double least = NAN;
    cpu_set_t set;

    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return NAN;
    for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
        if (!CPU_ISSET(cpu, &set))
            continue;
        snprintf(path, sizeof path, "/sys/devices/system/cpu/cpu%d/cpufreq/scaling_cur_freq", cpu);
        double v = 1e3 * number_in(path);
        if (isnan(v))
            return NAN; /* where one has none, all have none */
        least = fmin(least, v);
    }
    return least;
}

static double celsius(void)
{
    char path[PATH];
    double most = NAN;

    for (int zone = 0; zone < 64; zone++) {
        snprintf(path, sizeof path, "/sys/class/thermal/thermal_zone%d/temp", zone);
        double v = 1e-3 * number_in(path);
        if (isnan(v) && errno == ENOENT)
            break;
        most = fmax(most, v);
    }
    return most;
}

void condition_read(struct condition *c, double now)
{
    *c = (struct condition){.wall = now,
                            .delay = delay(),
                            .throttled = throttled_seconds(),
                            .busy = busy(),
                            .own = own(),
                            .hertz = hertz(),
                            .celsius = celsius()};
}

struct condition condition_none(void)
{
    return (struct condition){.hertz = NAN, .celsius = NAN};
}

void condition_add(struct condition *sum, const struct condition *before,
                   const struct condition *after)
{
    sum->wall += after->wall - before->wall;
    sum->delay += after->delay - before->delay;
    sum->throttled += after->throttled - before->throttled;
    sum->busy += after->busy - before->busy;
    sum->own += after->own - before->own;
    sum->hertz = fmin(sum->hertz, fmin(before->hertz, after->hertz));
    sum->celsius = fmax(sum->celsius, fmax(before->celsius, after->celsius));
}
