/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/hep/hep.h"

#include <assert.h>

#include "workloads/generate/gen_math.h"

#define PI 0x1.921fb54442d18p+1

#define LEAST_KT    1.0   /* [GeV] */
#define LEAST_ANGLE 0.005 /* far below a cell */

/* alpha_s at one loop, five flavours, .118 at the mass of the Z. */
static double coupling(double kt)
{
    const double b0 = (33 - 2 * 5) / (12 * PI), at_z = 0.118, z = 91.19;

    return at_z / (1 + at_z * b0 * 2 * gen_log(kt / z));
}

/* The next emission of p: true, its z and angle; false: none above the
 * cut-offs. Drawn at the greatest rate, that of the starting angle and of the
 * least kt; what is too much is passed over (Sudakov's veto). */
static bool next_emission(struct draw *d, const struct parton *p, double *z, double *angle)
{
    const double strongest = coupling(LEAST_KT);
    double least = LEAST_KT / (p->pt * p->angle), t = p->angle;

    if (least >= 0.5)
        return false;
    double range = gen_log(0.5 / least);
    double rate = 2 * strongest * (p->gluon ? 3.0 : 4.0 / 3) / PI * range;
    for (;;) {
        t *= gen_exp(-draw_exponential(d) / rate);
        if (t < LEAST_ANGLE || 0.5 * t * p->pt < LEAST_KT)
            return false;
        *z = least * gen_exp(range * draw_uniform(d));
        double kt = *z * t * p->pt;
        if (kt > LEAST_KT && draw_chance(d, coupling(kt) / strongest))
            break;
    }
    *angle = t;
    return true;
}

/* Partons that are done stand in [0, i); the others wait. */
void hep_shower(struct draw *d, struct hep_event *ev)
{
    double z, angle;

    for (int i = 0; i < ev->n; i++)
        while (next_emission(d, &ev->parton[i], &z, &angle)) {
            assert(ev->n < HEP_PARTONS);
            double azimuth = draw_between(d, 0, 2 * PI);
            ev->parton[ev->n++] = hep_split(&ev->parton[i], z, angle, azimuth);
        }
}
