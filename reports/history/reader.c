/* SPDX-License-Identifier: BSD-3-Clause */
/* Users and their own runs: one question, one answer. */
#include <config.h>

#include "reports/history/reader.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "reports/core/fdio.h"
#include "reports/history/history_own.h"

/* ---- the asker's side ---- */

static int connect_to(const char *path, struct err *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    struct timeval limit = {.tv_sec = READER_SECONDS};

    if (strlen(path) >= sizeof a.sun_path)
        return err_set(e, "the path of the reader's socket is too long: %s", path);
    strcpy(a.sun_path, path);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return err_set(e, "cannot make a socket: %s", strerror(errno));
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) == 0)
        return fd;
    err_set(e,
            "the site's reader does not answer at %s (%s); the administrator starts it with"
            " hpcai500-reader.socket",
            path, strerror(errno));
    close(fd);
    return -1;
}

/* The first line, without its newline. */
static int read_head(int fd, char head[READER_MAX_QUESTION + 512])
{
    for (size_t n = 0; n < READER_MAX_QUESTION + 511; n++) {
        if (fdio_read(fd, head + n, 1) != 1)
            return -1;
        if (head[n] == '\n') {
            head[n] = '\0';
            return 0;
        }
    }
    return -1;
}

static void *read_answer(int fd, size_t *size, struct err *e)
{
    char head[READER_MAX_QUESTION + 512], *end;
    char *bytes = NULL;

    if (read_head(fd, head) < 0) {
        err_set(e, "the site's reader gave no answer; its journal says why");
        return NULL;
    }
    if (strcmp(head, "none") == 0)
        return NULL;
    if (strncmp(head, "ok ", 3) != 0) {
        err_set(e, "%s",
                strncmp(head, "no ", 3) == 0
                    ? head + 3
                    : "the site's reader gave an answer that this release does not know");
        return NULL;
    }
    unsigned long long n = strtoull(head + 3, &end, 10);
    if (*end || n > READER_MAX_ANSWER || !(bytes = malloc((size_t)n + 1))) {
        err_set(e, "the answer of the site's reader is too large");
        return NULL;
    }
    if (fdio_read(fd, bytes, (size_t)n) != (ssize_t)n) {
        err_set(e, "the site's reader stopped in the middle of its answer");
        free(bytes);
        return NULL;
    }
    bytes[n] = '\0';
    *size = (size_t)n;
    return bytes;
}

void *reader_ask(const char *socket, const char *question, size_t *size, struct err *e)
{
    char line[READER_MAX_QUESTION + 2];
    void *bytes = NULL;

    if (e)
        e->text[0] = '\0';
    if (strlen(question) >= READER_MAX_QUESTION) {
        err_set(e, "'%.40s...' is too long", question);
        return NULL;
    }
    int fd = connect_to(socket, e);
    if (fd < 0)
        return NULL;
    int n = snprintf(line, sizeof line, "%s\n", question);
    if (send(fd, line, (size_t)n, MSG_NOSIGNAL) != n)
        err_set(e, "cannot ask the site's reader: %s", strerror(errno));
    else
        bytes = read_answer(fd, size, e);
    close(fd);
    return bytes;
}

/* Neither this user nor this machine has it: the reader may. */
static bool is_elsewhere(int why)
{
    return why == EACCES || why == EPERM || why == ENOENT;
}

struct history *reader_history(const struct conf *c, const struct history_filter *f, struct err *e)
{
    char question[READER_MAX_QUESTION] = "history all";
    struct history *h = history_open_reader(c->history, e);
    struct err why = ERR_INIT;
    size_t size = 0;

    if (h || !is_elsewhere(errno) || !c->reader[0])
        return h;
    if (errno == ENOENT && access(c->reader, F_OK) < 0)
        return NULL; /* neither is on this machine */
    if (f && f->key)
        snprintf(question, sizeof question, "history run %s", f->key);
    else if (f && f->job > 0)
        snprintf(question, sizeof question, "history job %ld", f->job);
    void *bytes = reader_ask(c->reader, question, &size, &why);
    if (bytes)
        return history_open_copy(bytes, size, e);
    struct err own = *(e ? e : &why);
    if (e)
        err_set(e, "%.220s; %.220s", own.text, why.text);
    return NULL;
}

static void *fetch(const char *socket, const char *what, const char *place, size_t *size,
                   struct err *e)
{
    char question[READER_MAX_QUESTION];

    snprintf(question, sizeof question, "%s %s", what, place);
    return reader_ask(socket, question, size, e);
}

struct archive *reader_archive(const struct conf *c, struct err *e)
{
    struct archive *a = archive_open(c->archive, e);

    if (a || !is_elsewhere(errno) || !c->reader[0])
        return a;
    return archive_of(fetch, c->reader, e);
}

/* ---- the service ---- */

static bool in_group(uid_t uid, const char *name)
{
    const struct passwd *pw = getpwuid(uid);
    const struct group *g = pw ? getgrnam(name) : NULL;
    gid_t groups[1024];
    int n = sizeof groups / sizeof *groups;

    if (!g)
        return false;
    gid_t wanted = g->gr_gid;
    if (getgrouplist(pw->pw_name, pw->pw_gid, groups, &n) < 0)
        return false;
    for (int i = 0; i < n; i++)
        if (groups[i] == wanted)
            return true;
    return false;
}

static bool is_user(uid_t uid, const char *name)
{
    const struct passwd *pw = getpwnam(name);
    return pw && pw->pw_uid == uid;
}

bool reader_sees_all(const struct conf *c, uid_t uid)
{
    const char *at = c->readers;

    if (uid == 0 || strcmp(at, "*") == 0 || is_user(uid, c->service_user))
        return true;
    while (*at) {
        char word[CONF_WORD_SIZE + 1];
        size_t n = strcspn(at, ",");
        snprintf(word, sizeof word, "%.*s", (int)n, at);
        if (word[0] == '@' ? in_group(uid, word + 1) : is_user(uid, word))
            return true;
        at += n + (at[n] == ',');
    }
    return false;
}

/* The history's part that this user may see, and of it what he asks for. */
static int parse_own(const struct conf *c, uid_t uid, const char *words, struct history_own *own,
                     struct err *e)
{
    char *end;

    *own = (struct history_own){.uid = reader_sees_all(c, uid) ? -1 : (long)uid,
                                .most = READER_MAX_RUNS};
    if (strcmp(words, "all") == 0)
        return 0;
    if (strncmp(words, "run ", 4) == 0 && words[4]) {
        own->key = words + 4;
        return 0;
    }
    if (strncmp(words, "job ", 4) == 0 && words[4] >= '1' && words[4] <= '9') {
        errno = 0;
        own->job = strtol(words + 4, &end, 10);
        if (!*end && errno == 0)
            return 0;
    }
    return err_set(e, "the reader does not know the question 'history %.64s'", words);
}

static void *answer_history(const struct conf *c, uid_t uid, const char *words, size_t *size,
                            struct err *e)
{
    struct history_own own;
    long left = 0;

    if (parse_own(c, uid, words, &own, e) < 0)
        return NULL;
    void *bytes = history_own_copy(c->history, &own, size, &left, e);
    if (bytes && *size <= READER_MAX_ANSWER && left == 0)
        return bytes;
    free(bytes);
    if (bytes)
        err_set(e, "these are %ld runs, more than the reader shows at once (%d): ask by --job",
                left + READER_MAX_RUNS, READER_MAX_RUNS);
    return NULL;
}

/* The key that a place was made from: a key's letters are a place's too. */
static int key_of(const char *place, char key[HISTORY_KEY_SIZE])
{
    static const char suffix[] = ".json.gz";
    const char *name = strrchr(place, '/');
    size_t n = name ? strlen(++name) : 0;

    if (n < sizeof suffix || n - (sizeof suffix - 1) >= HISTORY_KEY_SIZE ||
        strcmp(name + n - (sizeof suffix - 1), suffix) != 0)
        return -1;
    snprintf(key, HISTORY_KEY_SIZE, "%.*s", (int)(n - (sizeof suffix - 1)), name);
    return 0;
}

static void *answer_archive(const struct conf *c, uid_t uid,
                            char *(*get)(struct archive *, const char *, size_t *, struct err *),
                            const char *place, size_t *size, struct err *e)
{
    struct history_own own = {.uid = reader_sees_all(c, uid) ? -1 : (long)uid, .most = 1};
    char key[HISTORY_KEY_SIZE], known[ARCHIVE_PLACE_SIZE] = "";

    own.key = key;
    if (key_of(place, key) < 0 || history_own_place(c->history, &own, known, e) < 0 ||
        strcmp(known, place) != 0)
        return NULL; /* not there, or not his */
    struct archive *a = archive_open(c->archive, e);
    void *bytes = a ? get(a, place, size, e) : NULL;
    archive_close(a);
    return bytes;
}

void *reader_answer(const struct conf *c, uid_t uid, const char *question, size_t *size,
                    struct err *e)
{
    static const struct {
        const char *head;
        char *(*get)(struct archive *, const char *, size_t *, struct err *);
    } rows[] = {{"record ", archive_get},
                {"witness ", archive_witness},
                {"ranks ", archive_ranks},
                {"steps ", archive_steps}};

    e->text[0] = '\0';
    if (strncmp(question, "history ", 8) == 0)
        return answer_history(c, uid, question + 8, size, e);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        size_t n = strlen(rows[i].head);
        if (strncmp(question, rows[i].head, n) == 0)
            return answer_archive(c, uid, rows[i].get, question + n, size, e);
    }
    err_set(e, "the reader does not know the question '%.64s'", question);
    return NULL;
}
