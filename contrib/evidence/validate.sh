#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# validate [OPTION...]: what is the rule that judges nodes worth, with 100,000 runs a row up
# to 1,024 nodes? Hours of one core; with options of `hpcai500 validate simulate`
# (--runs=20000) less. Wants a build in build/dev, or $HPCAI500_BUILD.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ $# -gt 0 ] || set -- --full
"${HPCAI500_BUILD:-build/dev}/spank/validate/hpcai500-validate" simulate "$@"
