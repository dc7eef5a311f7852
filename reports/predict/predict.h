/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * How much faster would it be, and how sure is that? The simulator is first checked
 * against the run that it was made from, then asked.
 *
 *     replay     the same steps played: ln(played / measured) is its error
 *     held out   fitted on the first half and its steps played, against the period of
 *                the second half; the drift between the halves is the floor of that
 *     question   blocks of 16 steps drawn with replacement (the same for before and
 *                after), fitted, played before and after: ln of the ratio, many times
 *
 * 90 % interval: the mean of that ln, -+ t x s, and both ends of what the model does
 * not know:
 *
 *     s^2  = its variance + replay error^2 + sigma(kind)^2 + spread of the yardstick^2
 *     t    Student's 95 % point; degrees of freedom: s^4 / sum of each part^4 / its own
 *          (Satterthwaite), of sigma(kind) runs - 1
 *     host where the yardstick was not run, the drift between the halves is used
 *
 * Beyond 8 times the measured s doubles with each further doubling, and beyond 64
 * there is no answer. A question about less than 5 % of the step is answered by what
 * it can bring at most.
 *
 * Life:    plain data; a predictor borrows the series and owns its fits.
 * Failure: -1 and a sentence. A refused question is an answer, not a failure.
 * Threads: pure functions.
 */
#ifndef PREDICT_PREDICT_H
#define PREDICT_PREDICT_H

#include "reports/predict/fit.h"
#include "reports/predict/what.h"

struct replay {
    double measured, played; /* period, seconds */
    double error;            /* ln(played / measured) */
    double held_out;         /* first half played against second half, ln */
    double drift;            /* second half against first half as measured, ln */
};

/* What an ablation of the same run showed: by what factor samples per second grow, the
 * upper end of its interval; NAN: not made. */
struct predict_ablation {
    double network, input;
};

struct predictor {
    const struct series *s;
    struct replay replay;
    struct predict_ablation ablation;
    bool shared; /* other work took more than 5 % of these cores: no purchase follows */
    int draws;
    uint64_t seed;
    long *block; /* [blocks] all steady ones */
    int blocks;
};

/* Fits and replays. */
int predict_open(struct predictor *p, const struct series *s, struct err *e);
void predict_close(struct predictor *p);

enum predict_state { PREDICTED, PREDICT_BOUND, PREDICT_REFUSED };

struct prediction {
    enum predict_state state;
    double gain, low, high; /* samples per second, after / before; BOUND: high alone */
    double step;            /* seconds of a step after */
    double noise;           /* of ln gain: by the draws alone */
    bool untested;          /* no truth test has this question */
    bool beyond;            /* more than 8 times what was measured */
    bool wide;              /* half the batch was not measured */
    char why[192];          /* REFUSED, BOUND: a sentence */
};

/* What `then` brings on top of `first` (n_first changes, may be 0). */
int predict(const struct predictor *p, const struct what *first, int n_first,
            const struct what *then, int n_then, struct prediction *out, struct err *e);

#endif
