/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * receiver LISTEN SPOOL MUNGE-SOCKET: the collector's socket alone, for tests
 * on a cluster: takes bundles until it is killed, says refusals on stderr.
 */
#include <config.h>

#include <stdio.h>

#include "spank/receive.h"

static void say(void *ctx, const char *sentence)
{
    (void)ctx;
    fprintf(stderr, "refused: %s\n", sentence);
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct receiver *r = argc == 4 ? receive_open(argv[1], argv[2], argv[3], say, NULL, &e) : NULL;
    int n;

    if (!r) {
        fprintf(stderr, "receiver: %s\n", argc == 4 ? e.text : "LISTEN SPOOL MUNGE-SOCKET");
        return 2;
    }
    printf("listening\n");
    fflush(stdout);
    while ((n = receive_step(r, 1000, &e)) >= 0)
        if (n > 0)
            fprintf(stderr, "%d taken\n", n);
    fprintf(stderr, "receiver: %s\n", e.text);
    receive_close(r);
    return 1;
}
