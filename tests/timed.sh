#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# timed.sh COMMAND... TEST: runs that test and adds a line to the file $TIMES:
# stage ($STAGE), seconds, CPU seconds of the processes that it waited for, and
# the name of the test.
begin=${EPOCHREALTIME/./}
"$@"
rc=$?
[ -n "${TIMES-}" ] || exit $rc
seconds=$(((${EPOCHREALTIME/./} - begin + 500000) / 1000000))
times > "$TIMES.$$" # not in a subshell: that has waited for nobody
awk -v stage="${STAGE:--}" -v seconds=$seconds -v name="${!#}" 'NR == 2 {
    for (i = 1; i <= 2; i++) { split($i, t, /[ms]/); cpu += 60 * t[1] + t[2] }
    printf "%s %d %.0f %s\n", stage, seconds, cpu, name }' "$TIMES.$$" >> "$TIMES"
rm -f "$TIMES.$$"
exit $rc
