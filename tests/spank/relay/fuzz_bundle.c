/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Whatever bytes a bundle has: the reader ends, stays within its bounds, and
 * what it shows has a name that a bundle may carry.
 *
 * links: spank/relay/bundle.c lib:reports/core
 */
#include <config.h>

#include <fcntl.h>
#include <unistd.h>

#include "spank/relay/bundle.h"
#include "tests/fuzz.h"

/* Frames have checksums that a fuzzer does not find: every line of the input
 * becomes a frame that is right, unless the first byte says as it is. */
static void write_frames(int fd, const uint8_t *data, size_t size)
{
    char line[8192];
    int first = 1;

    for (size_t at = 0, n; at < size; at += n + 1) {
        const uint8_t *end = memchr(data + at, '\n', size - at);
        n = end ? (size_t)(end - (data + at)) : size - at;
        size_t name = strnlen((const char *)data + at, n);
        snprintf(line, sizeof line, "%.*s", (int)(n < 8000 ? n : 8000), (const char *)data + at);
        if (first)
            must(bundle_write_credential(fd, line, NULL) == 0, "a credential is written");
        else if (name < n)
            bundle_write_file(fd, line, data + at + name + 1, n - name - 1, NULL);
        first = 0;
    }
}

static void make_file(const uint8_t *data, size_t size, const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

    must(fd >= 0, "a file");
    if (size && data[0] == '!')
        must(write(fd, data + 1, size - 1) == (ssize_t)size - 1, "the input is written");
    else
        write_frames(fd, data, size);
    close(fd);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[64];
    struct bundle_file f;
    struct err e = ERR_INIT;
    size_t sum = 0;
    int rc;

    snprintf(path, sizeof path, "/dev/shm/hpcai500-fuzz-%d", (int)getpid());
    make_file(data, size, path);
    struct bundle *b = bundle_open(AT_FDCWD, path, &e);
    if (b) {
        must(strlen(bundle_credential(b)) <= BUNDLE_MAX_CREDENTIAL, "the credential's bound");
        while ((rc = bundle_next(b, &f, &e)) == 1) {
            must(bundle_name_ok(f.name), "a good name");
            must(strlen(f.sha256) == 64, "a hash");
            for (size_t i = 0; i < f.size; i++)
                sum += ((const unsigned char *)f.bytes)[i];
        }
        must(bundle_next(b, &f, &e) == rc, "the end stays the end");
        bundle_close(b);
    }
    unlink(path);
    return sum == (size_t)-1;
}
