/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/hep/hep.h"

#include <string.h>

#include "workloads/generate/gen_math.h"

enum { REACH = 4 /* cells to each side */, WIDTH = 2 * REACH + 1 };

/* sum[i][p] = cells [i][p - REACH .. p + REACH], around in phi, of rows from
 * `first` to `last`. Each is summed by itself: a running sum would leave
 * rounding where energy was taken away. */
static void sum_phi(const double *cells, double *sum, int first, int last)
{
    for (int i = first; i <= last; i++) {
        const double *row = cells + i * HEP_EDGE;
        double around[HEP_EDGE + 2 * REACH];
        memcpy(around, row + HEP_EDGE - REACH, REACH * sizeof *row);
        memcpy(around + REACH, row, HEP_EDGE * sizeof *row);
        memcpy(around + REACH + HEP_EDGE, row, REACH * sizeof *row);
        for (int p = 0; p < HEP_EDGE; p++) {
            double s = 0;
            for (int k = 0; k < WIDTH; k++)
                s += around[p + k];
            sum[i * HEP_EDGE + p] = s;
        }
    }
}

/* The same of rows in eta, which ends at its edges. */
static void sum_eta(const double *rows, double *sum, int first, int last)
{
    for (int i = first; i <= last; i++) {
        int low = i < REACH ? 0 : i - REACH;
        int high = i + REACH >= HEP_EDGE ? HEP_EDGE - 1 : i + REACH;
        double *s = sum + i * HEP_EDGE;
        memset(s, 0, HEP_EDGE * sizeof *s);
        for (int k = low; k <= high; k++)
            for (int p = 0; p < HEP_EDGE; p++)
                s[p] += rows[k * HEP_EDGE + p];
    }
}

static int greatest(const double *sum)
{
    int best = 0;

    for (int i = 1; i < HEP_CELLS; i++)
        if (sum[i] > sum[best])
            best = i;
    return best;
}

static int within(int i)
{
    return i < 0 ? 0 : i >= HEP_EDGE ? HEP_EDGE - 1 : i;
}

void hep_jets(const struct hep_image *image, struct jet jets[HEP_JETS])
{
    double cells[HEP_CELLS], rows[HEP_CELLS], sum[HEP_CELLS];

    for (int i = 0; i < HEP_CELLS; i++)
        cells[i] = image->et[i] > 1 ? image->et[i] : 0;
    sum_phi(cells, rows, 0, HEP_EDGE - 1);
    sum_eta(rows, sum, 0, HEP_EDGE - 1);
    for (int j = 0; j < HEP_JETS; j++) {
        int at = greatest(sum), eta = at / HEP_EDGE, phi = at % HEP_EDGE;
        int low = within(eta - REACH), high = within(eta + REACH);
        jets[j] = (struct jet){sum[at], eta, phi};
        for (int i = low; i <= high; i++)
            for (int k = -REACH; k <= REACH; k++)
                cells[i * HEP_EDGE + (phi + k + HEP_EDGE) % HEP_EDGE] = 0;
        sum_phi(cells, rows, low, high);
        sum_eta(rows, sum, within(low - REACH), within(high + REACH));
    }
}

double hep_ht(const struct jet jets[HEP_JETS])
{
    double ht = 0;

    for (int j = 0; j < HEP_JETS; j++)
        ht += jets[j].pt > 40 ? jets[j].pt : 0;
    return ht;
}

int hep_jet_count(const struct jet jets[HEP_JETS], double least)
{
    int n = 0;

    for (int j = 0; j < HEP_JETS; j++)
        n += jets[j].pt > least;
    return n;
}

bool hep_trigger(const struct jet jets[HEP_JETS])
{
    return hep_ht(jets) > 1200 && hep_jet_count(jets, 60) >= 4;
}

void hep_observables(const struct jet jets[HEP_JETS], double out[HEP_OBSERVABLES])
{
    out[0] = gen_log(hep_ht(jets));
    out[1] = hep_jet_count(jets, 60);
    out[2] = hep_jet_count(jets, 100);
    out[3] = gen_log(1 + jets[0].pt);
    out[4] = gen_log(1 + jets[3].pt);
    out[5] = gen_log(1 + jets[5].pt);
}

void hep_sample(const struct hep_model *m, uint64_t seed, uint64_t id, struct hep_sample *s)
{
    struct draw d;

    draw_init(&d, seed, id);
    s->attempts = 0;
    do {
        s->attempts++;
        hep_hard(&d, m, hep_process_of(id), &s->event);
        hep_shower(&d, &s->event);
        hep_detect(&d, &s->event, &s->image);
        hep_jets(&s->image, s->jets);
    } while (!hep_trigger(s->jets));
}
