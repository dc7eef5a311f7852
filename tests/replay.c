/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A fuzzer's corpus once, without libFuzzer: CORPUS of the tree's tests, or the
 * folder that is named.
 */
#include <config.h>

#include <dirent.h>
#include <limits.h>

#include "tests/fuzz.h"

enum { FEWEST = 4, MOST_BYTES = 65536 };

static void run_file(const char *path)
{
    static uint8_t data[MOST_BYTES];
    FILE *f = fopen(path, "rb");
    size_t n = f ? fread(data, 1, sizeof data, f) : 0;

    must(f != NULL, path);
    fclose(f);
    LLVMFuzzerTestOneInput(data, n);
}

int main(int argc, char **argv)
{
    const char *top = getenv("top_srcdir");
    char folder[PATH_MAX], path[PATH_MAX + 256];
    struct dirent *entry;
    int n = 0;

    snprintf(folder, sizeof folder, "%s/tests/" CORPUS, top ? top : ".");
    if (argc > 1)
        snprintf(folder, sizeof folder, "%s", argv[1]);
    DIR *d = opendir(folder);
    must(d != NULL, folder);
    while ((entry = readdir(d))) {
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, entry->d_name);
        run_file(path);
        n++;
    }
    closedir(d);
    printf("%d inputs replayed\n", n);
    return n >= FEWEST ? 0 : 1;
}
