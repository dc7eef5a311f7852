/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * receiver LISTEN SPOOL MUNGE-SOCKET: the collector's socket alone, for tests:
 * takes bundles until SIGTERM, says refusals on stderr.
 */
#include <config.h>

#include <signal.h>
#include <stdio.h>

#include "spank/relay/receive.h"

static volatile sig_atomic_t stopped;

static void on_signal(int sig)
{
    (void)sig;
    stopped = 1;
}

static void say(void *ctx, const char *sentence)
{
    (void)ctx;
    fprintf(stderr, "receiver: refused: %s\n", sentence);
}

int main(int argc, char **argv)
{
    struct err e = ERR_INIT;
    struct sigaction action = {.sa_handler = on_signal};
    struct receiver *r = argc == 4 ? receive_open(argv[1], argv[2], argv[3], say, NULL, &e) : NULL;
    int n = 0;

    if (!r) {
        fprintf(stderr, "receiver: %s\n", argc == 4 ? e.text : "LISTEN SPOOL MUNGE-SOCKET");
        return 2;
    }
    sigaction(SIGTERM, &action, NULL);
    printf("listening\n");
    fflush(stdout);
    while (!stopped && (n = receive_step(r, 200, &e)) >= 0)
        if (n > 0)
            fprintf(stderr, "receiver: %d taken\n", n);
    if (n < 0)
        fprintf(stderr, "receiver: %s\n", e.text);
    receive_close(r);
    return n < 0 ? 1 : 0;
}
