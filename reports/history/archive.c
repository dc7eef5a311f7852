/* SPDX-License-Identifier: BSD-3-Clause */
/* The dated archive: one packed file per record. */
#include <config.h>

#include "reports/history/archive.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <zlib.h>

#include "reports/core/atomic.h"
#include "reports/core/fdio.h"
#include "reports/record/gzip.h"

#define SUFFIX ".json.gz"

enum {
    DAY_LENGTH = 10, /* "2026/11/22" */
    FILE_SIZE = RECORD_ID_SIZE + 24,
    TEMP_SIZE = FILE_SIZE + 8,
    GZIP_WINDOW = 15 + 16, /* zlib: the largest window, gzip's header */
    PACKED_MAX = RECORD_MAX_BYTES + RECORD_MAX_BYTES / 64 + 1024
};

/* The files of one record, in the order in which they get their names. */
enum file { WITNESS, RANKS, STEPS, RECORD, FILES };
static const struct part {
    const char *word, *suffix;
} parts[] = {
    {"witness", ".witness"}, {"ranks", ".ranks.json.gz"}, {"steps", ".steps.gz"}, {"", SUFFIX}};

/* Put, but not yet under its name. */
struct pending {
    char place[ARCHIVE_PLACE_SIZE];
    bool has[FILES];
};

struct archive {
    int fd;
    archive_fetch *fetch; /* not NULL: it is asked, and there is no folder */
    const char *fetch_text;
    char dir[PATH_MAX];
    bool batch; /* between archive_begin() and archive_commit() */
    int n, room;
    struct pending *pending;
};

struct archive *archive_open(const char *dir, struct err *e)
{
    struct archive *a = calloc(1, sizeof *a);

    if (!a) {
        err_set(e, "the archive %s: out of memory", dir);
        return NULL;
    }
    snprintf(a->dir, sizeof a->dir, "%s", dir);
    a->fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (a->fd < 0) {
        int why = errno;
        err_set(e, "cannot open the archive %s: %s", dir, strerror(why));
        free(a);
        errno = why;
        return NULL;
    }
    return a;
}

struct archive *archive_of(archive_fetch *fetch, const char *text, struct err *e)
{
    struct archive *a = calloc(1, sizeof *a);

    if (!a) {
        err_set(e, "out of memory");
        return NULL;
    }
    a->fd = -1;
    a->fetch = fetch;
    a->fetch_text = text;
    return a;
}

/* What is fetched, in its bounds. */
static void *fetched(struct archive *a, const char *what, const char *place, size_t most,
                     size_t *size, struct err *e)
{
    void *bytes = a->fetch(a->fetch_text, what, place, size, e);

    if (!bytes || *size <= most)
        return bytes;
    free(bytes);
    err_set(e, "%s: more than it may be", place);
    return NULL;
}

void archive_close(struct archive *a)
{
    int why = errno;

    if (!a)
        return;
    archive_rollback(a);
    if (a->fd >= 0)
        close(a->fd);
    free(a->pending);
    free(a);
    errno = why;
}

/* ---- places ---- */

static bool in_name(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
           (c && strchr("._+-", c));
}

void archive_place(const char *id, int64_t begin, char place[ARCHIVE_PLACE_SIZE])
{
    time_t t = (time_t)begin;
    struct tm day = {0};

    if (begin < 0 || begin > INT64_C(253402300799) || !gmtime_r(&t, &day)) { /* year 9999 */
        t = 0;
        gmtime_r(&t, &day);
    }
    strftime(place, ARCHIVE_PLACE_SIZE, "%Y/%m/%d/", &day);
    size_t n = strlen(place);
    for (size_t i = 0; id[i] && i < RECORD_ID_SIZE - 1; i++)
        place[n++] = in_name(id[i]) && (i > 0 || id[i] != '.') ? id[i] : '_';
    strcpy(place + n, SUFFIX);
}

/* A place as archive_place() makes them: nothing else is opened. */
static bool is_place(const char *place)
{
    static const char shape[] = "dddd/dd/dd/";
    size_t n = strlen(place), suffix = sizeof SUFFIX - 1;

    if (n >= ARCHIVE_PLACE_SIZE || n <= DAY_LENGTH + 1 + suffix ||
        strcmp(place + n - suffix, SUFFIX) != 0 || place[DAY_LENGTH + 1] == '.')
        return false;
    for (size_t i = 0; i < n; i++) {
        char c = place[i];
        bool good = i > DAY_LENGTH ? in_name(c) : shape[i] == 'd' ? c >= '0' && c <= '9' : c == '/';
        if (!good)
            return false;
    }
    return true;
}

struct spot {
    int dirfd; /* the day's folder */
    char name[FILES][FILE_SIZE];
};

/* The folder below, made when asked to; a new one is on the device before
 * anything stands in it. */
static int step_into(int fd, const char *name, bool make)
{
    int flags = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    int next = openat(fd, name, flags);

    if (next >= 0 || errno != ENOENT || !make)
        return next;
    if (mkdirat(fd, name, 0750) == 0)
        fchmodat(fd, name, 0750, 0); /* a group may read it whatever the umask */
    else if (errno != EEXIST)
        return -1;
    if (atomic_sync_folder(fd) < 0)
        return -1;
    return openat(fd, name, flags);
}

/* Opens the day of a place; errno ENOENT: there is none. */
static int spot_open(struct archive *a, const char *place, bool make, struct spot *s, struct err *e)
{
    char part[3][5] = {"", "", ""};
    int fd = -1;

    s->dirfd = -1;
    if (!is_place(place)) {
        errno = EINVAL;
        return err_set(e, "'%.64s' is not a place in an archive", place);
    }
    memcpy(part[0], place, 4);
    memcpy(part[1], place + 5, 2);
    memcpy(part[2], place + 8, 2);
    for (int i = 0; i < 3; i++) {
        int next = step_into(i ? fd : a->fd, part[i], make);
        int why = errno;
        if (i)
            close(fd);
        fd = next;
        errno = why;
        if (fd < 0) {
            err_set(e, "the archive %s/%.10s: %s", a->dir, place, strerror(why));
            errno = why;
            return -1;
        }
    }
    const char *name = place + DAY_LENGTH + 1;
    s->dirfd = fd;
    for (int i = 0; i < FILES; i++)
        snprintf(s->name[i], sizeof s->name[i], "%.*s%s", (int)(strlen(name) - (sizeof SUFFIX - 1)),
                 name, parts[i].suffix);
    return 0;
}

/* ---- packing ---- */

/* Back again, at most RECORD_MAX_BYTES; NULL and why not. */
static char *unpack(const unsigned char *in, size_t n, size_t *size, const char **why)
{
    z_stream z = {0};
    char *out = malloc(RECORD_MAX_BYTES + 1);

    *why = "out of memory";
    if (!out || inflateInit2(&z, GZIP_WINDOW) != Z_OK) {
        free(out);
        return NULL;
    }
    z.next_in = (Bytef *)(uintptr_t)in;
    z.avail_in = (uInt)n;
    z.next_out = (Bytef *)out;
    z.avail_out = RECORD_MAX_BYTES;
    int rc = inflate(&z, Z_FINISH);
    *size = z.total_out;
    inflateEnd(&z);
    if (rc == Z_STREAM_END && z.avail_in == 0) {
        out[*size] = '\0';
        return out;
    }
    *why = rc == Z_STREAM_END   ? "something stands behind the record"
           : z.avail_out == 0   ? "unpacks to more than a record may have"
           : rc == Z_DATA_ERROR ? "damaged"
                                : "cut off";
    free(out);
    return NULL;
}

/* ---- one file ---- */

/* One writer: the temporary name of a file may be fixed, and what a dead
 * writer left goes. */
static void temp_name(const char *name, char temp[TEMP_SIZE])
{
    snprintf(temp, TEMP_SIZE, ".%s.tmp", name);
}

/* The bytes under the temporary name, on the device when `sync`; errno says
 * why not. */
static int write_temp(int dirfd, const char *name, const void *bytes, size_t n, bool sync)
{
    char temp[TEMP_SIZE];
    struct atomic a;

    temp_name(name, temp);
    if (atomic_open(&a, dirfd, name, temp, 0640, sync ? 0 : ATOMIC_VOLATILE) < 0)
        return -1;
    if (fdio_write(a.fd, bytes, n) == 0 && atomic_settle(&a) == 0)
        return 0;
    atomic_discard(&a);
    return -1;
}

/* From the temporary name to its own. What was put twice in one batch has its
 * name already: the first found the second. */
static int take_name(const struct spot *s, const char *name)
{
    char temp[TEMP_SIZE];
    struct stat st;

    temp_name(name, temp);
    if (renameat(s->dirfd, temp, s->dirfd, name) == 0)
        return 0;
    return errno == ENOENT ? fstatat(s->dirfd, name, &st, AT_SYMLINK_NOFOLLOW) : -1;
}

/* Each is whole, or not there. */
static int publish(const struct spot *s, const bool has[FILES])
{
    for (int i = 0; i < FILES; i++) {
        if (has[i] && take_name(s, s->name[i]) < 0)
            return -1;
        if (!has[i] && unlinkat(s->dirfd, s->name[i], 0) < 0 && errno != ENOENT)
            return -1;
    }
    return 0;
}

static void drop_temps(const struct spot *s)
{
    char temp[TEMP_SIZE];
    int why = errno;

    for (int i = 0; i < FILES; i++) {
        temp_name(s->name[i], temp);
        unlinkat(s->dirfd, temp, 0);
    }
    errno = why;
}

/* ---- putting ---- */

static int remember(struct archive *a, const char *place, const bool has[FILES])
{
    if (a->n == a->room) {
        int room = a->room ? 2 * a->room : 64;
        void *p = realloc(a->pending, (size_t)room * sizeof *a->pending);
        if (!p)
            return -1;
        a->pending = p;
        a->room = room;
    }
    struct pending *p = &a->pending[a->n++];
    snprintf(p->place, sizeof p->place, "%s", place);
    memcpy(p->has, has, sizeof p->has);
    return 0;
}

static int put(struct archive *a, const struct spot *s, const char *place,
               const struct archive_item *item)
{
    size_t packed = 0;
    unsigned char *bytes = gzip_pack(item->text, item->size, &packed);
    const size_t n = item->witness ? strlen(item->witness) : 0;
    const struct archive_side witness = {item->witness, n}, record = {bytes, packed},
                              files[FILES] = {witness, item->ranks, item->steps, record};
    bool has[FILES];

    errno = bytes ? 0 : ENOMEM;
    int rc = bytes ? 0 : -1;
    for (int i = 0; i < FILES; i++) {
        has[i] = files[i].bytes != NULL;
        if (rc == 0 && has[i])
            rc = write_temp(s->dirfd, s->name[i], files[i].bytes, files[i].size, !a->batch);
    }
    free(bytes);
    if (rc == 0 && a->batch)
        return remember(a, place, has);
    if (rc == 0)
        rc = publish(s, has);
    if (rc == 0 && atomic_sync_folder(s->dirfd) < 0)
        rc = -1;
    return rc;
}

int archive_put(struct archive *a, const char *place, const struct archive_item *item,
                struct err *e)
{
    struct spot s;

    if (item->size > RECORD_MAX_BYTES || item->ranks.size > ARCHIVE_MAX_SIDE ||
        item->steps.size > ARCHIVE_MAX_SIDE ||
        (item->witness && strlen(item->witness) > ARCHIVE_MAX_WITNESS))
        return err_set(e, "%s is too large for the archive", place);
    if (spot_open(a, place, true, &s, e) < 0)
        return -1;
    int rc = put(a, &s, place, item);
    if (rc < 0) {
        err_set(e, "cannot write %s/%s: %s", a->dir, place, strerror(errno));
        drop_temps(&s);
    }
    close(s.dirfd);
    return rc;
}

/* ---- many at once ---- */

void archive_begin(struct archive *a)
{
    a->batch = true;
}

static int publish_pending(struct archive *a, const struct pending *p, struct err *e)
{
    struct spot s;

    if (spot_open(a, p->place, false, &s, e) < 0)
        return -1;
    int rc = publish(&s, p->has);
    if (rc < 0)
        err_set(e, "cannot write %s/%s: %s", a->dir, p->place, strerror(errno));
    close(s.dirfd);
    return rc;
}

int archive_commit(struct archive *a, struct err *e)
{
    int rc = 0;

    if (a->n > 0 && syncfs(a->fd) < 0)
        rc = err_set(e, "cannot write %s: %s", a->dir, strerror(errno));
    for (int i = 0; rc == 0 && i < a->n; i++)
        rc = publish_pending(a, &a->pending[i], e);
    if (rc == 0 && a->n > 0 && syncfs(a->fd) < 0)
        rc = err_set(e, "cannot write %s: %s", a->dir, strerror(errno));
    if (rc < 0) {
        archive_rollback(a);
        return -1;
    }
    a->n = 0;
    a->batch = false;
    return 0;
}

void archive_rollback(struct archive *a)
{
    struct spot s;

    for (int i = 0; i < a->n; i++) {
        if (spot_open(a, a->pending[i].place, false, &s, NULL) < 0)
            continue;
        drop_temps(&s);
        close(s.dirfd);
    }
    a->n = 0;
    a->batch = false;
}

/* ---- getting ---- */

/* At most `most` bytes of a regular file, NUL behind them; NULL and errno. */
static char *load(int dirfd, const char *name, size_t most, size_t *size)
{
    struct stat st;
    char *bytes = NULL;
    int fd = openat(dirfd, name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_CLOEXEC);

    if (fd < 0)
        return NULL;
    errno = EINVAL;
    if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        goto out;
    errno = EFBIG;
    if (st.st_size < 0 || (size_t)st.st_size > most)
        goto out;
    errno = ENOMEM;
    if (!(bytes = malloc((size_t)st.st_size + 1)))
        goto out;
    ssize_t n = 1;
    for (*size = 0; n != 0 && *size < (size_t)st.st_size;) {
        n = read(fd, bytes + *size, (size_t)st.st_size - *size);
        if (n < 0 && errno != EINTR)
            break;
        *size += n > 0 ? (size_t)n : 0;
    }
    bytes[*size] = '\0';
    if (n < 0) {
        free(bytes);
        bytes = NULL;
    }
out:;
    int why = errno;
    close(fd);
    errno = why;
    return bytes;
}

char *archive_get(struct archive *a, const char *place, size_t *size, struct err *e)
{
    struct spot s;
    size_t packed;
    const char *why = NULL;
    char *text = NULL;

    if (a->fetch) {
        text = fetched(a, "record", place, RECORD_MAX_BYTES, size, e);
        if (!text && e && !e->text[0])
            err_set(e, "the archive has no record %s", place);
        return text;
    }
    if (spot_open(a, place, false, &s, e) < 0)
        return NULL;
    char *bytes = load(s.dirfd, s.name[RECORD], PACKED_MAX, &packed);
    if (!bytes)
        err_set(e, "%s/%s: %s", a->dir, place, strerror(errno));
    else if (!(text = unpack((unsigned char *)bytes, packed, size, &why)))
        err_set(e, "%s/%s: %s", a->dir, place, why);
    free(bytes);
    close(s.dirfd);
    return text;
}

char *archive_read(const char *path, size_t *size, struct err *e)
{
    size_t packed;
    const char *why = NULL;
    char *bytes = load(AT_FDCWD, path, PACKED_MAX, &packed), *text = NULL;

    if (!bytes)
        err_set(e, "%s: %s", path, errno == EINVAL ? "not a regular file" : strerror(errno));
    else if (!(text = unpack((unsigned char *)bytes, packed, size, &why)))
        err_set(e, "%s: %s", path, why);
    free(bytes);
    return text;
}

/* What stands beside a record, byte for byte. */
static char *get_beside(struct archive *a, const char *place, enum file which, size_t most,
                        size_t *size, struct err *e)
{
    struct spot s;

    if (e)
        e->text[0] = '\0';
    if (a->fetch)
        return fetched(a, parts[which].word, place, most, size, e);
    if (spot_open(a, place, false, &s, e) < 0)
        return NULL;
    char *text = load(s.dirfd, s.name[which], most, size);
    if (!text && errno != ENOENT)
        err_set(e, "%s/%.10s/%s: %s", a->dir, place, s.name[which], strerror(errno));
    close(s.dirfd);
    return text;
}

char *archive_witness(struct archive *a, const char *place, size_t *size, struct err *e)
{
    return get_beside(a, place, WITNESS, ARCHIVE_MAX_WITNESS, size, e);
}

char *archive_ranks(struct archive *a, const char *place, size_t *size, struct err *e)
{
    return get_beside(a, place, RANKS, ARCHIVE_MAX_SIDE, size, e);
}

char *archive_steps(struct archive *a, const char *place, size_t *size, struct err *e)
{
    return get_beside(a, place, STEPS, ARCHIVE_MAX_SIDE, size, e);
}

/* Folders above a place that are empty now. */
static void prune(struct archive *a, const char *place)
{
    static const int lengths[] = {10, 7, 4};
    char folder[DAY_LENGTH + 1];

    for (int i = 0; i < 3; i++) {
        snprintf(folder, sizeof folder, "%.*s", lengths[i], place);
        if (unlinkat(a->fd, folder, AT_REMOVEDIR) < 0)
            return;
    }
}

int archive_remove(struct archive *a, const char *place, struct err *e)
{
    struct spot s;

    if (spot_open(a, place, false, &s, e) < 0) {
        if (errno != ENOENT)
            return -1;
        if (e)
            e->text[0] = '\0';
        return 0;
    }
    int rc = 0;
    for (int i = FILES - 1; i >= 0; i--) {
        if (unlinkat(s.dirfd, s.name[i], 0) < 0 && errno != ENOENT)
            rc = err_set(e, "cannot remove %s/%s: %s", a->dir, place, strerror(errno));
    }
    drop_temps(&s);
    if (rc == 0 && atomic_sync_folder(s.dirfd) < 0)
        rc = err_set(e, "cannot remove %s/%s: %s", a->dir, place, strerror(errno));
    close(s.dirfd);
    prune(a, place);
    return rc;
}
