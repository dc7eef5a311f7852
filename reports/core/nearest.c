/* SPDX-License-Identifier: BSD-3-Clause */
#include <config.h>

#include "reports/core/nearest.h"

#include <stddef.h>
#include <string.h>
#include <strings.h>

enum { MAX_LETTERS = 63 };

static int lower(char c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static int min2(int a, int b)
{
    return a < b ? a : b;
}

/* Optimal string alignment; d[i][j] is the distance of the first i letters of
 * a to the first j of b, and only three rows of i are alive. */
static int distance(const char *a, int na, const char *b, int nb)
{
    int row[3][MAX_LETTERS + 1];

    for (int j = 0; j <= nb; j++)
        row[0][j] = j;
    for (int i = 1; i <= na; i++) {
        int *now = row[i % 3], *up = row[(i + 2) % 3], *up2 = row[(i + 1) % 3];
        now[0] = i;
        for (int j = 1; j <= nb; j++) {
            int other = lower(a[i - 1]) != lower(b[j - 1]);
            now[j] = min2(min2(up[j] + 1, now[j - 1] + 1), up[j - 1] + other);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                now[j] = min2(now[j], up2[j - 2] + 1);
        }
    }
    return row[na % 3][nb];
}

const char *nearest(const char *word, const char *const *candidates, int n)
{
    const char *best = NULL;
    int best_distance = MAX_LETTERS + 1;
    size_t na = strnlen(word, MAX_LETTERS + 1);

    if (na == 0 || na > MAX_LETTERS)
        return NULL;
    for (int i = 0; i < n; i++) {
        size_t nb = strnlen(candidates[i], MAX_LETTERS + 1);
        if (nb == 0 || nb > MAX_LETTERS)
            continue;
        int allowed = (int)(na > nb ? na : nb) / 3;
        int d = distance(word, (int)na, candidates[i], (int)nb);
        if (allowed < 1)
            allowed = 1;
        int near = d <= allowed && d < (int)nb;
        int beginning = na >= 3 && strncasecmp(word, candidates[i], na) == 0;
        if ((near || beginning) && d < best_distance) {
            best = candidates[i];
            best_distance = d;
        }
    }
    return best;
}
