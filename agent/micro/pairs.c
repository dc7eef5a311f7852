/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "agent/micro/network.h"
#include "workloads/philox.h"

/* Rounds of random partners: an odd number, so that a median is one of them. */
enum { FEW = 5, PURPOSE = 0x70616972 };

/* The circle method: of m seats (even) the last stands still, the others turn. */
static int opposite(int seat, int round, int m)
{
    int turn = m - 1;

    if (seat == m - 1) /* meets who is its own opposite: 2 s = round */
        return (int)((long)round * ((turn + 1) / 2) % turn);
    int other = ((round - seat) % turn + turn) % turn;
    return other == seat ? m - 1 : other;
}

int pairs_rounds(int n)
{
    int all = n % 2 ? n : n - 1;

    return n < 2 ? 0 : n <= PAIRS_ALL ? all : FEW;
}

static long common_divisor(long a, long b)
{
    while (b) {
        long t = a % b;
        a = b;
        b = t;
    }
    return a;
}

/* Rounds of a large machine are some of the circle's: from a place that is drawn, by
 * steps that are drawn and prime to their number, so that none comes twice. */
static int drawn_round(int round, int turn, uint64_t seed)
{
    const uint32_t key[2] = {(uint32_t)seed, (uint32_t)(seed >> 32)}, at[4] = {0, 0, 0, PURPOSE};
    uint32_t bits[4];

    philox4x32(at, key, bits);
    long begin = bits[0] % (uint32_t)turn, step = 1 + bits[1] % (uint32_t)(turn - 1);
    while (common_divisor(step, turn) != 1)
        step = step % (turn - 1) + 1;
    return (int)((begin + round * step) % turn);
}

int pairs_partner(int i, int round, int n, uint64_t seed)
{
    int m = n + n % 2; /* with an odd number the last seat is empty */

    if (n > PAIRS_ALL)
        round = drawn_round(round, m - 1, seed);
    int other = opposite(i, round, m);
    return other < n ? other : -1;
}
