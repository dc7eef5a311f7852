/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What every fuzzer has: libFuzzer's entry, and what must hold.
 *
 * A fuzzer is a file tests/FOLDER/fuzz_NAME.c with a seed corpus in
 * tests/FOLDER/corpus/NAME. Lines " * links: WORD..." in its first comment name
 * what it is linked with: sources of the tree, lib:FOLDER for all of a room's
 * library, pkg:NAME for pkg-config, opt:NAME where that knows it; lines " * runs: OPTION..." are libFuzzer's, and a line
 * " * forgives: NAME" names a library whose own crashes only count. fuzz.sh builds and runs it, fuzz.bats all of them for some seconds, contrib/test.sh
 * for longer. With tests/replay.c instead of libFuzzer it is a program that
 * runs the corpus once, with any compiler.
 */
#ifndef TESTS_FUZZ_H
#define TESTS_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the program when it does not. */
static inline void must(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "%s: %s does not hold\n", __BASE_FILE__, what);
    abort();
}

/* A copy of the exact size, so that an overrun is seen, with a '\0' behind it
 * when it is a text. free() it. */
static inline char *fuzz_copy(const uint8_t *data, size_t size, bool text)
{
    char *copy = malloc(size + text + !size);

    must(copy != NULL, "malloc");
    if (size)
        memcpy(copy, data, size);
    if (text)
        copy[size] = '\0';
    return copy;
}

/* One sentence that a terminal can show. */
static inline void must_be_sentence(const char *text)
{
    must(text[0] != '\0', "a refusal says a sentence");
    for (; *text; text++)
        must((unsigned char)*text >= 0x20 && *text != 0x7f, "a sentence is printable");
}

#endif
