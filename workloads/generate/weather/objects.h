/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What is in the weather of a moment, by criteria on its fields alone. s is
 * weather_scale(); every length in degrees of the plane.
 *
 *   vortex       a place within 32 degrees of the equator whose pressure is the lowest
 *                within 2 s, lies at least 250 Pa (its depth) below the mean of the ring
 *                of 2.8 s to 3.6 s about it, and whose 850 hPa wind turns as cyclones of
 *                that hemisphere do: vorticity of at least 1e-5/s
 *   cyclone      a vortex with a warm core: T500 at least .8 K above the mean of the ring
 *   depression   a vortex without
 *   low          (extratropical) the lowest within 8 degrees, poleward of 32, at least
 *                800 Pa below the mean of the ring of 10 to 14 degrees
 *   extent       of these three: the places joined to the centre, by sides or corners,
 *                that lie below the ring's mean by at least OBJECT_PART of the depth, no
 *                further than the ring
 *   river        poleward of 22 degrees: water of at least 14 kg/m^2 and 1.28 of its
 *                row's median, and a transport, water x |850 hPa wind|, in the highest
 *                RIVER_PART of all places poleward of 22 degrees; joined by sides or corners,
 *                longer than 16 degrees, no wider (area / length) than .55 of its
 *                length, over more than 5 degrees of latitude. A cyclone's places are its
 *                own.
 *
 * Life:    create ... destroy; what is found holds until the next call.
 * Failure: NULL and a sentence when there is no memory. More than WEATHER_BOXES objects:
 *          the last in the order above are not boxed; the mask has all.
 * Threads: one per struct objects.
 */
#ifndef WEATHER_OBJECTS_H
#define WEATHER_OBJECTS_H

#include <stdbool.h>

#include "workloads/generate/weather/weather.h"

#define OBJECT_PART 0.25
#define RIVER_PART  0.10

struct object {
    enum weather_object class;
    int row, column;    /* of the lowest pressure; of a river: of its first place */
    double depth, ring; /* Pa; not of a river */
    double warm;        /* T500 above the ring [K] */
    int places;         /* in its extent */
    double box[4];      /* ymin, xmin, ymax, xmax in places; x may pass the date line */
};

enum { OBJECTS_MOST = 64 };

struct objects {
    const struct weather *weather; /* borrowed */
    struct object object[OBJECTS_MOST];
    int n;
    unsigned char *mask; /* [ny][nx] enum weather_class */
    /* Inner work. */
    unsigned char *seen; /* [ny][nx] */
    int *queue;          /* [ny nx] */
    double *transport, *sorted, *median;
};

struct objects *objects_create(const struct weather *w, struct err *e);
void objects_destroy(struct objects *o);

/* Of the weather's fields as they are. */
void objects_find(struct objects *o);

/* Rows of boxes for a file. */
void objects_boxes(const struct objects *o, float rows[WEATHER_BOXES][WEATHER_BOX]);

/* The criteria of one place, for those who check: whether it may be in a river, by its
 * own fields. After objects_find(). */
bool objects_is_wet(const struct objects *o, int row, int column);

#endif
