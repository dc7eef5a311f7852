/* SPDX-License-Identifier: BSD-3-Clause */
/* Numbers by their textbook methods; random.h names them. */
#include <config.h>

#include "reports/judge/random.h"

#include <math.h>

uint64_t random_bits(struct random *g)
{
    uint64_t z = g->state += 0x9e3779b97f4a7c15u;

    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

double random_uniform(struct random *g)
{
    return ((double)(random_bits(g) >> 11) + 0.5) / 9007199254740992.0;
}

int random_below(struct random *g, int n)
{
    return (int)((double)n * random_uniform(g));
}

double random_normal(struct random *g)
{
    double a, b, s;

    if (g->kept) {
        g->kept = false;
        return g->other;
    }
    do {
        a = 2 * random_uniform(g) - 1;
        b = 2 * random_uniform(g) - 1;
        s = a * a + b * b;
    } while (s >= 1);
    s = sqrt(-2 * log(s) / s);
    g->kept = true;
    g->other = b * s;
    return a * s;
}

double random_student3(struct random *g)
{
    double z = random_normal(g), chi2 = z * z - 2 * log(random_uniform(g));

    return random_normal(g) / sqrt(chi2); /* t3 is this x sqrt(3), its variance 3 */
}

double random_chi2(struct random *g, double nu)
{
    double part = 2 / (9 * nu), cube = 1 - part + sqrt(part) * random_normal(g);

    return nu * cube * cube * cube;
}
