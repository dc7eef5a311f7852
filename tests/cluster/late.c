/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * late DEVICE INTERFACE MICROSECONDS PIDFILE: makes the tap DEVICE and sends every frame that
 * is put on it out of INTERFACE, so much later. With
 *
 *     tc qdisc add dev eth0 clsact
 *     tc filter add dev eth0 egress u32 match u32 0 0 action mirred egress redirect dev late0
 *
 * it is latency of one node's network where the kernel has no netem (inject.bash). What it
 * sends itself goes past tc. It costs bandwidth, too: 0 microseconds tell how much.
 *
 * Ends by a signal; PIDFILE is there when it is ready. Root's, in the node's namespaces.
 */
#include <config.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { FRAME = 2048, FRAMES = 16384 }; /* more than come in the longest delay: the rest is lost */

static struct {
    int64_t due; /* ns */
    int size;
    char bytes[FRAME];
} queue[FRAMES];

static int fail(const char *what)
{
    fprintf(stderr, "late: %s: %s\n", what, strerror(errno));
    return 1;
}

static int64_t now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/* A tap that is up; the kernel cuts large segments and fills in checksums before it. */
static int open_tap(const char *name)
{
    struct ifreq r = {.ifr_flags = IFF_TAP | IFF_NO_PI};
    const int tap = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC),
              any = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    snprintf(r.ifr_name, IFNAMSIZ, "%s", name);
    if (tap < 0 || any < 0 || ioctl(tap, TUNSETIFF, &r) < 0 || ioctl(any, SIOCGIFFLAGS, &r) < 0)
        return -1;
    r.ifr_flags |= IFF_UP;
    const int rc = ioctl(any, SIOCSIFFLAGS, &r);
    close(any);
    return rc < 0 ? -1 : tap;
}

static int open_out(const char *interface)
{
    const struct sockaddr_ll to = {.sll_family = AF_PACKET,
                                   .sll_ifindex = (int)if_nametoindex(interface)};
    const int out = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), past_tc = 1;

    return out >= 0 && to.sll_ifindex > 0 &&
                   setsockopt(out, SOL_PACKET, PACKET_QDISC_BYPASS, &past_tc, sizeof past_tc) ==
                       0 &&
                   bind(out, (const struct sockaddr *)&to, sizeof to) == 0
               ? out
               : -1;
}

int main(int argc, char **argv)
{
    if (argc != 5)
        return fprintf(stderr, "usage: late DEVICE INTERFACE MICROSECONDS PIDFILE\n"), 2;
    const int64_t delay = atoll(argv[3]) * 1000;
    const int tap = open_tap(argv[1]), out = tap < 0 ? -1 : open_out(argv[2]);
    FILE *f = out < 0 ? NULL : fopen(argv[4], "we");
    unsigned first = 0, next = 0; /* of the queue */

    if (!f || fprintf(f, "%ld\n", (long)getpid()) < 0 || fclose(f) != 0)
        return fail(tap < 0 ? argv[1] : out < 0 ? argv[2] : argv[4]);
    for (;;) {
        struct pollfd p = {.fd = tap, .events = POLLIN};
        const int64_t wait = first == next ? 1000000000 : queue[first % FRAMES].due - now();
        const struct timespec most = {wait > 0 ? wait / 1000000000 : 0,
                                      wait > 0 ? wait % 1000000000 : 0};
        ppoll(&p, 1, &most, NULL);
        for (ssize_t n; next - first < FRAMES; next++) {
            if ((n = read(tap, queue[next % FRAMES].bytes, FRAME)) <= 0)
                break;
            queue[next % FRAMES].size = (int)n;
            queue[next % FRAMES].due = now() + delay;
        }
        for (; first != next && queue[first % FRAMES].due <= now(); first++)
            while (send(out, queue[first % FRAMES].bytes, (size_t)queue[first % FRAMES].size, 0) <
                       0 &&
                   (errno == ENOBUFS || errno == EINTR || errno == EAGAIN))
                ;
    }
}
