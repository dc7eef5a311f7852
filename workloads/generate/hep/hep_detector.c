/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/hep/hep.h"

#include <math.h>
#include <string.h>

#include "workloads/generate/gen_math.h"

#define PI 0x1.921fb54442d18p+1

/* Hadrons of one parton at most; a mean of 1 + ln (1 + pT) is 8 at 1 TeV. */
enum { MOST_HADRONS = 64, UNDERLYING = 120 /* particles, mean */ };

static enum hadron kind_of(double uniform)
{
    return uniform < 0.6 ? HADRON_CHARGED : uniform < 0.9 ? HADRON_PHOTON : HADRON_NEUTRAL;
}

/* The cell, -1 outside. */
static int cell_of(double eta, double phi)
{
    int e = (int)floor((eta + HEP_ETA) * (HEP_EDGE / (2 * HEP_ETA)));
    double turns = phi / (2 * PI);
    int p = (int)floor((turns - floor(turns)) * HEP_EDGE);

    if (e < 0 || e >= HEP_EDGE)
        return -1;
    return e * HEP_EDGE + (p < HEP_EDGE ? p : HEP_EDGE - 1);
}

/* A hadron's shower is electromagnetic to a fifth, on average: Beta(1, 4), by
 * its inverse. */
void hep_measure(struct draw *d, enum hadron kind, double pt, double eta, double phi,
                 struct hep_image *image)
{
    const bool photon = kind == HADRON_PHOTON;
    double grow = gen_exp(eta), energy = pt * (grow + 1 / grow) / 2;
    double noise = photon ? 0.1 : 0.5, constant = photon ? 0.01 : 0.03;
    double width = sqrt(noise * noise / (energy > 0.5 ? energy : 0.5) + constant * constant);
    double measured = pt * (1 + width * draw_normal(d));
    double share = photon ? 1 : 1 - sqrt(sqrt(draw_uniform(d)));
    bool track = kind == HADRON_CHARGED && pt > 0.5 && draw_chance(d, 0.9);
    int cell = cell_of(eta, phi);

    if (cell < 0)
        return;
    if (measured > 0) {
        image->et[cell] += measured;
        image->em[cell] += share * measured;
    }
    image->tracks[cell] += track;
}

/* A parton's momentum in shares that are exponential; hadrons lie .3 GeV of
 * momentum off its axis. */
static void hadronise(struct draw *d, const struct parton *p, struct hep_image *image)
{
    double share[MOST_HADRONS], sum = 0;
    int n = draw_poisson(d, 1 + gen_log(1 + p->pt));

    n = n < 1 ? 1 : n > MOST_HADRONS ? MOST_HADRONS : n;
    for (int i = 0; i < n; i++)
        sum += share[i] = draw_exponential(d);
    for (int i = 0; i < n; i++) {
        double pt = p->pt * share[i] / sum;
        double off = 0.3 / (pt > 1 ? pt : 1);
        double eta = p->eta + off * draw_normal(d);
        double phi = p->phi + off * draw_normal(d);
        enum hadron kind = kind_of(draw_uniform(d));
        hep_measure(d, kind, pt, eta, phi, image);
    }
}

static void underlying_event(struct draw *d, struct hep_image *image)
{
    int n = draw_poisson(d, UNDERLYING);

    for (int i = 0; i < n; i++) {
        double pt = 0.2 + 0.9 * draw_exponential(d);
        double eta = draw_between(d, -HEP_ETA, HEP_ETA);
        double phi = draw_between(d, -PI, PI);
        enum hadron kind = kind_of(draw_uniform(d));
        hep_measure(d, kind, pt, eta, phi, image);
    }
}

/* Partons so far forward do not reach the calorimeter. */
void hep_detect(struct draw *d, const struct hep_event *ev, struct hep_image *image)
{
    memset(image, 0, sizeof *image);
    for (int i = 0; i < ev->n; i++)
        if (fabs(ev->parton[i].eta) < 4)
            hadronise(d, &ev->parton[i], image);
    underlying_event(d, image);
}

void hep_channels(const struct hep_image *image, int edge, float *out)
{
    const int k = HEP_EDGE / edge, cells = edge * edge;

    for (int i = 0; i < cells; i++) {
        double et = 0, em = 0;
        int tracks = 0;
        for (int j = 0; j < k * k; j++) {
            int at = (i / edge * k + j / k) * HEP_EDGE + i % edge * k + j % k;
            et += image->et[at];
            em += image->em[at];
            tracks += image->tracks[at];
        }
        out[i] = (float)et;
        out[cells + i] = et > 0.3 ? (float)(em / et) : 0;
        out[2 * cells + i] = (float)tracks;
    }
}
