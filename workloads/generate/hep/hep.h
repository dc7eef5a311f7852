/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Collisions at a hadron collider as a calorimeter sees them: supersymmetry
 * with broken R parity against quark and gluon jets (Bhimji et al. 2017, arXiv
 * 1711.03573), drawn from leading-order pictures instead of a matrix-element
 * generator and a detector simulation.
 *
 *   signal      a pair of gluinos, each to q q and a neutralino, which goes to
 *               q q q: ten quarks
 *   background  2 -> 2 scattering of quarks and gluons, up to three
 *               generations of wide splittings (what a matrix element of more
 *               legs would give); drawn as pT^-3, weighted to pT^-5
 *   both        jets from the initial state, with the recoil on the hard
 *               partons; an angular-ordered leading-log shower; hadrons; an
 *               underlying event; a calorimeter of 64 x 64 cells with tracks;
 *               a trigger on HT and the number of jets
 *
 * Energies in GeV. An event is a function of (seed, id): its class is the
 * parity of the id, and it is the first attempt of its own Philox stream that
 * passes the trigger. A seed's ids are one world: training and validation take
 * different ranges.
 *
 * Life:    plain data, a struct hep_event some 200 KB.
 * Failure: none. Partons, hadrons past the arrays' ends do not occur (asserts;
 *          tests look at the largest).
 * Threads: one per struct.
 */
#ifndef HEP_HEP_H
#define HEP_HEP_H

#include <stdbool.h>
#include <stdint.h>

#include "workloads/generate/gen_draw.h"

enum {
    HEP_EDGE = 64, /* cells in eta and in phi */
    HEP_CELLS = HEP_EDGE * HEP_EDGE,
    HEP_PARTONS = 4096,
    HEP_JETS = 10,
    HEP_OBSERVABLES = 6,
};

#define HEP_ETA 2.5 /* the calorimeter's reach */

enum hep_process { HEP_QCD, HEP_SUSY };

struct hep_model {
    double gluino, neutralino; /* masses */
};

/* Neither trivial nor hopeless under the trigger; and the published ones, which
 * a count of jets tells apart (tests/workloads/generate/test_hep.c). */
extern const struct hep_model hep_learnable, hep_published;

/* Massless, in cylinder coordinates; angle: no radiation wider than that. */
struct parton {
    double pt, eta, phi, angle;
    bool gluon;
};

struct hep_event {
    enum hep_process process;
    double weight; /* of its class's cross section */
    double scale;  /* background: pT of the 2 -> 2 scattering */
    int n;
    struct parton parton[HEP_PARTONS];
};

/* ---- partons ---------------------------------------------------------- */

/* The hard process with its initial-state jets. Their momenta across the beam
 * sum to nothing (but for rounding). */
void hep_hard(struct draw *d, const struct hep_model *m, enum hep_process process,
              struct hep_event *ev);

/* Parent p becomes (1 - z) of itself, left in *p, and z, returned, `angle`
 * apart in (eta, phi), `azimuth` around the parent's direction; momentum across
 * the beam is conserved. Both may radiate below that angle. */
struct parton hep_split(struct parton *p, double z, double angle, double azimuth);

/* Radiates from every parton until nothing is left above the cut-offs: d n = 2
 * alpha C / pi d ln angle d ln z (C = 4/3 of a quark, 3 of a gluon; alpha_s at
 * kt = z angle pT), angles falling, kt > 1 GeV. */
void hep_shower(struct draw *d, struct hep_event *ev);

/* ---- detector --------------------------------------------------------- */

enum hadron { HADRON_CHARGED, HADRON_PHOTON, HADRON_NEUTRAL };

/* [eta][phi] */
struct hep_image {
    double et[HEP_CELLS]; /* transverse energy */
    double em[HEP_CELLS]; /* of it: electromagnetic */
    int tracks[HEP_CELLS];
};

/* Adds one particle as it is measured: photons with 10 % / sqrt E + 1 %,
 * hadrons with 50 % / sqrt E + 3 % (in quadrature), tracks of charged ones from
 * .5 GeV at 90 %. */
void hep_measure(struct draw *d, enum hadron kind, double pt, double eta, double phi,
                 struct hep_image *image);

/* Hadrons of all partons and the underlying event, measured. */
void hep_detect(struct draw *d, const struct hep_event *ev, struct hep_image *image);

/* Channels of `edge` x `edge` (64, or 32: sums of 2 x 2): transverse energy,
 * its electromagnetic share (0 below .3 GeV), tracks. out [3][edge][edge]. */
void hep_channels(const struct hep_image *image, int edge, float *out);

/* ---- jets ------------------------------------------------------------- */

struct jet {
    double pt;
    int eta, phi; /* cell of its middle */
};

/* Cones of 9 x 9 cells: the greatest sum, taken away, and the next; falling pT.
 * Cells below 1 GeV do not count. */
void hep_jets(const struct hep_image *image, struct jet jets[HEP_JETS]);

/* Scalar sum of the jets above 40 GeV; jets above `least` GeV. */
double hep_ht(const struct jet jets[HEP_JETS]);
int hep_jet_count(const struct jet jets[HEP_JETS], double least);

/* HT > 1.2 TeV and four jets above 60 GeV. */
bool hep_trigger(const struct jet jets[HEP_JETS]);

/* What the field's own analysis looks at: ln HT, jets above 60 and above 100
 * GeV, ln (1 + pT) of the first, fourth, and sixth jet. */
void hep_observables(const struct jet jets[HEP_JETS], double out[HEP_OBSERVABLES]);

/* ---- all of it -------------------------------------------------------- */

struct hep_sample {
    struct hep_event event;
    struct hep_image image;
    struct jet jets[HEP_JETS];
    int attempts; /* until the trigger took one */
};

static inline enum hep_process hep_process_of(uint64_t id)
{
    return id % 2 ? HEP_SUSY : HEP_QCD;
}

void hep_sample(const struct hep_model *m, uint64_t seed, uint64_t id, struct hep_sample *s);

#endif
