/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "workloads/generate/hep/hep.h"

#include <assert.h>
#include <math.h>

#include "workloads/generate/gen_math.h"

#define PI 0x1.921fb54442d18p+1

/* The background's spectrum, and what it is drawn from. */
enum { LEAST_PT = 450, MOST_PT = 3000 };
enum { DRAWN_POWER = 3, TRUE_POWER = 5 };

const struct hep_model hep_learnable = {.gluino = 1000, .neutralino = 600};
const struct hep_model hep_published = {.gluino = 1400, .neutralino = 850};

struct vector {
    double e, x, y, z;
};

/* p as seen from a frame that moves with -v: a body at rest gets velocity v. */
static struct vector boost(struct vector p, double vx, double vy, double vz)
{
    double v2 = vx * vx + vy * vy + vz * vz;
    double gamma = 1 / sqrt(1 - v2);
    double along = vx * p.x + vy * p.y + vz * p.z;
    double k = (v2 > 0 ? (gamma - 1) / v2 * along : 0) + gamma * p.e;

    return (struct vector){gamma * (p.e + along), p.x + k * vx, p.y + k * vy, p.z + k * vz};
}

/* Kallen's function of squares: 4 M^2 p*^2 of a decay M -> a b. */
static double kallen(double m2, double a2, double b2)
{
    double k = m2 * m2 + a2 * a2 + b2 * b2 - 2 * (m2 * a2 + m2 * b2 + a2 * b2);

    return k > 0 ? k : 0;
}

/* parent of squared mass m2 -> a, b; any direction is as likely. */
static void decay_to_two(struct draw *d, struct vector parent, double m2, double a2, double b2,
                         struct vector *a, struct vector *b)
{
    double p = sqrt(kallen(m2, a2, b2) / (4 * m2)), s, c;
    double z = draw_between(d, -1, 1), across = sqrt(1 - z * z);

    gen_sincos(draw_between(d, 0, 2 * PI), &s, &c);
    *a = (struct vector){sqrt(p * p + a2), p * across * c, p * across * s, p * z};
    *b = (struct vector){sqrt(p * p + b2), -a->x, -a->y, -a->z};
    *a = boost(*a, parent.x / parent.e, parent.y / parent.e, parent.z / parent.e);
    *b = boost(*b, parent.x / parent.e, parent.y / parent.e, parent.z / parent.e);
}

/* parent of mass m -> two quarks, left in q, and a body of mass `rest`, returned:
 * phase space. The squared mass of the quarks has the density p*(m; m_qq, rest),
 * drawn by rejection from a flat one. */
static struct vector decay_to_quarks(struct draw *d, struct vector parent, double m, double rest,
                                     struct vector q[2])
{
    const double m2 = m * m, rest2 = rest * rest;
    struct vector pair, body;
    double pair2, share;

    do {
        pair2 = draw_between(d, 0, (m - rest) * (m - rest));
        share = sqrt(kallen(m2, pair2, rest2)) / (m2 - rest2);
    } while (!draw_chance(d, share));
    decay_to_two(d, parent, m2, pair2, rest2, &pair, &body);
    decay_to_two(d, pair, pair2, 0, 0, &q[0], &q[1]);
    return body;
}

/* Two gluinos back to back across the beam; ten quarks. */
static int susy(struct draw *d, const struct hep_model *m, struct vector q[10])
{
    double pt = 220 * draw_gamma(d, 2), s, c;
    double mt = sqrt(pt * pt + m->gluino * m->gluino);

    gen_sincos(draw_between(d, 0, 2 * PI), &s, &c);
    for (int k = 0; k < 2; k++) {
        double grow = gen_exp(0.7 * draw_normal(d)), sign = k ? -1 : 1;
        struct vector gluino = {mt * (grow + 1 / grow) / 2, sign * pt * c, sign * pt * s,
                                mt * (grow - 1 / grow) / 2};
        struct vector *own = q + 5 * k;
        struct vector chi = decay_to_quarks(d, gluino, m->gluino, m->neutralino, own);
        own[4] = decay_to_quarks(d, chi, m->neutralino, 0, own + 2);
    }
    return 10;
}

static void add(struct hep_event *ev, const struct parton *p)
{
    assert(ev->n < HEP_PARTONS);
    ev->parton[ev->n++] = *p;
}

/* Wide, hard splittings, up to three generations. Their transverse energy is
 * that of the two partons before. */
static void split_wide(struct draw *d, struct hep_event *ev)
{
    double before = 0, after = 0;

    for (int i = 0; i < ev->n; i++)
        before += ev->parton[i].pt;
    for (int generation = 0; generation < 3; generation++)
        for (int i = ev->n - 1; i >= 0; i--) {
            struct parton *p = &ev->parton[i];
            if (p->pt < 150 || !draw_chance(d, p->gluon ? 0.5 : 0.3))
                continue;
            double z = draw_log_between(d, 0.08, 0.5), angle = draw_log_between(d, 0.5, 2.2);
            struct parton soft = hep_split(p, z, angle, draw_between(d, 0, 2 * PI));
            add(ev, &soft);
        }
    for (int i = 0; i < ev->n; i++)
        after += ev->parton[i].pt;
    for (int i = 0; i < ev->n; i++)
        ev->parton[i].pt *= before / after;
}

static double wrap(double phi)
{
    return phi - 2 * PI * floor(phi / (2 * PI) + 0.5);
}

static struct vector vector_of(const struct parton *p)
{
    double s, c, grow = gen_exp(p->eta);

    gen_sincos(p->phi, &s, &c);
    return (struct vector){p->pt * (grow + 1 / grow) / 2, p->pt * c, p->pt * s,
                           p->pt * (grow - 1 / grow) / 2};
}

static struct parton parton_of(struct vector v, bool gluon)
{
    double pt = sqrt(v.x * v.x + v.y * v.y);

    return (struct parton){pt, gen_asinh(v.z / pt), gen_atan2(v.y, v.x), 0, gluon};
}

static int qcd(struct draw *d, struct hep_event *ev, struct vector *v, bool *gluon)
{
    const double power = 1 - DRAWN_POWER;
    double least = gen_pow(LEAST_PT, power), most = gen_pow(MOST_PT, power);
    double pt = gen_pow(draw_between(d, most, least), 1 / power);
    double boosted = 0.8 * draw_normal(d), apart = draw_between(d, -1.2, 1.2);
    double phi = draw_between(d, -PI, PI);

    ev->scale = pt;
    ev->weight = gen_pow(pt / LEAST_PT, DRAWN_POWER - TRUE_POWER);
    ev->n = 0;
    for (int k = 0; k < 2; k++) {
        struct parton p = {pt, boosted + (k ? -apart : apart), phi + k * PI, 0,
                           draw_chance(d, 0.45)};
        add(ev, &p);
    }
    split_wide(d, ev);
    for (int i = 0; i < ev->n; i++) {
        v[i] = vector_of(&ev->parton[i]);
        gluon[i] = ev->parton[i].gluon;
    }
    return ev->n;
}

/* The system moves as a whole: along the beam to where it rests, across it
 * with momentum (x, y), and back. */
static void recoil(struct vector *v, int n, double x, double y)
{
    double e = 0, z = 0;

    for (int i = 0; i < n; i++) {
        e += v[i].e;
        z += v[i].z;
    }
    double mass2 = e * e - z * z, moving = sqrt(mass2 + x * x + y * y);
    for (int i = 0; i < n; i++) {
        struct vector rest = boost(v[i], 0, 0, -z / e);
        v[i] = boost(boost(rest, x / moving, y / moving, 0), 0, 0, z / e);
    }
}

void hep_hard(struct draw *d, const struct hep_model *m, enum hep_process process,
              struct hep_event *ev)
{
    enum { MOST = 16, JETS = 3 };
    struct vector v[MOST + JETS];
    bool gluon[MOST + JETS] = {false};
    double x = 0, y = 0;
    int n;

    ev->process = process;
    ev->weight = 1;
    ev->scale = 0;
    n = process == HEP_SUSY ? susy(d, m, v) : qcd(d, ev, v, gluon);
    int jets = draw_poisson(d, 0.8);
    for (int i = n; i < n + jets && i < n + JETS; i++) {
        struct parton p = {.pt = draw_log_between(d, 30, 350)};
        p.eta = draw_between(d, -3, 3);
        p.phi = draw_between(d, -PI, PI);
        v[i] = vector_of(&p);
        gluon[i] = draw_chance(d, 0.7);
        x -= v[i].x;
        y -= v[i].y;
    }
    recoil(v, n, x, y);
    n += jets < JETS ? jets : JETS;
    ev->n = 0;
    for (int i = 0; i < n; i++) {
        struct parton p = parton_of(v[i], gluon[i]);
        p.angle = 0.6; /* what is wider is the hard process's */
        add(ev, &p);
    }
}

/* In the plane across the beam the two sum to (1 - z) e^ia + z e^ib of the
 * parent's momentum; both are turned and stretched so that it is the parent's. */
struct parton hep_split(struct parton *p, double z, double angle, double azimuth)
{
    double s, c, sa, ca, sb, cb;

    gen_sincos(azimuth, &s, &c);
    double a = -z * angle * s, b = (1 - z) * angle * s;
    gen_sincos(a, &sa, &ca);
    gen_sincos(b, &sb, &cb);
    double x = (1 - z) * ca + z * cb, y = (1 - z) * sa + z * sb;
    double pt = p->pt / sqrt(x * x + y * y), turn = gen_atan2(y, x);
    struct parton soft = {z * pt, p->eta + (1 - z) * angle * c, wrap(p->phi + b - turn), angle,
                          true};

    p->pt = (1 - z) * pt;
    p->eta -= z * angle * c;
    p->phi = wrap(p->phi + a - turn);
    p->angle = angle;
    return soft;
}
