#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# nodes [NODES [RUNS]]: how long do filing, judging and planning of a validation of many nodes
# (1,000) and their links with many runs (100) take, how much memory, and are the right ones
# named? Out of lines that this machine's node program records. RPCs do not depend on the number of nodes: three a
# poll (tests/cluster/slurmctl.bats and replay.bats count them). Wants a build in build/dev, or
# $HPCAI500_BUILD.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
build=${HPCAI500_BUILD:-build/dev}
make -s -C "$build" tests/spank/validate/thousand agent/node/hpcai500-node >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
for _ in 1 2 3; do
    "$build/agent/node/hpcai500-node" -q --profile=quick --only=clock,gemm.f32,triad,latency --samples=2 >> "$work/recorded"
done
mkdir "$work/site"
"$build/tests/spank/validate/thousand" "$work/site" "${1:-1000}" "${2:-100}" < "$work/recorded"
