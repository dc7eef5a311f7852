#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# validate [OPTION...]: what is the rule that judges nodes worth, with 100,000 runs a row up
# to 1,024 nodes? Some hours of one core; with options of `hpcai500 validate simulate`
# (--runs=20000) less. Rows that are done are kept in $HPCAI500_KEEP
# (build/evidence-validate): ended and started again it goes on, and loses one row at most.
# Wants a build in build/dev, or $HPCAI500_BUILD.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
keep=${HPCAI500_KEEP:-build/evidence-validate}
mkdir -p "$keep"
[ $# -gt 0 ] || set -- --full
echo "history = $PWD/$keep/none/history.sqlite" > "$keep/conf" # whatever site this machine is
"${HPCAI500_BUILD:-build/dev}/spank/validate/hpcai500-validate" simulate --conf="$keep/conf" --keep="$keep" "$@"
