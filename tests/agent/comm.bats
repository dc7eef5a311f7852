#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# comm_mpi: sums, blocking operations, and ranks that go missing.
# bats file_tags=mpi
load mpi.bash

prog=$top_builddir/tests/agent/ranks

@test "sums in shared windows have the bits of the sum in rank order (1 to 4 ranks)" {
    for n in 1 2 3 4; do ranks $n "$prog" sums window; done
}

@test "sums by messages have the same bits (2 to 4 ranks)" {
    for n in 2 3 4; do ranks $n "$prog" sums plain; done
    NO_WINDOW=1 ranks 3 "$prog" sums plain
}

@test "many sums under way, in both kinds of memory" {
    ranks 3 "$prog" many
    NO_WINDOW=1 ranks 4 "$prog" many
}

@test "reduce, broadcast, gather, barrier, agreement (1 to 4 ranks)" {
    for n in 1 2 4; do ranks $n "$prog" blocking; done
}

@test "the ranks of a node are a table of their own, beside that of all (1 to 3 ranks)" {
    for n in 1 3; do ranks $n "$prog" node; done
    NO_WINDOW=1 ranks 2 "$prog" node
}

@test "clocks: of one kernel, and by messages along a tree (1 to 5 ranks)" {
    for n in 1 2; do ranks $n "$prog" clocks; done
    for n in 2 3 5; do ranks $n "$prog" clocks asked; done
}

@test "a message to one rank and its answer, each pair in both directions" {
    for n in 2 3; do ranks $n "$prog" echo; done
    NO_WINDOW=1 ranks 2 "$prog" echo
}

@test "the transport's own test on real messages (2 and 3 ranks)" {
    for n in 2 3; do NO_WINDOW=1 ranks $n "$prog" transport; done
}

@test "sums are stamped, and their stamps tell what a message costs (2 and 3 ranks)" {
    for n in 2 3; do NO_WINDOW=1 ranks $n "$prog" stamps; done
    ranks 2 "$prog" stamps # a window has no messages
}

@test "a rank that is killed is named by the others at once" {
    run ranks_alive 3 "$prog" fail kill
    [ "$status" -ne 0 ]
    [[ "$output" == *"rank 0: rank 2 ($(hostname)) has ended while rank 0 waited for the sum of gradients"* ]]
}

@test "a rank that is stopped is named with its node, in a window and by messages" {
    run ranks 3 "$prog" fail stop
    [ "$status" -ne 0 ]
    [[ "$output" == *"rank 0: waited "*" s for the sum of gradients: rank 2 ($(hostname)) is stopped"* ]]
    NO_WINDOW=1 run ranks 2 "$prog" fail stop
    [[ "$output" == *"rank 0: waited "*": rank 1 ($(hostname)) is stopped"* ]]
}

@test "a rank that is alive but does not come is told from one that is gone" {
    run ranks 2 "$prog" fail late
    [[ "$output" == *"rank 0: waited "*": rank 1 ($(hostname)) is alive but late"* ]]
}

@test "who is behind is told also after messages in which some had no part" {
    run ranks 3 "$prog" slow behind
    [[ "$output" == *"rank 0: waited "*": rank 2 ($(hostname)) "* ]]
}
