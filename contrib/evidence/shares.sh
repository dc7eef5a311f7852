#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# shares.sh [MOMENTS]: how much of generated weather is cyclones and rivers?
#
# Makes MOMENTS (64) moments of 768 x 1152 (deepcam, class standard; about nine core-seconds
# each) and counts the places of each class, beside DeepCAM's published shares: .98627
# background, .000458 cyclones, .01327 rivers. On smaller grids a place is larger than a
# cyclone. Exit 1: a share is more than a fifth off. The error is that of the moments' mean.
#
# GENERATE names the program (of a build tree), JOBS how many moments are made at once.
set -euo pipefail
moments=${1:-64}
: "${GENERATE:=hpcai500-generate}" "${JOBS:=$(nproc)}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

begin=$SECONDS
"$GENERATE" deepcam,class=standard --train "$moments" --validation 1 -j "$JOBS" --out "$work/set" >/dev/null 2>&1
echo "$moments moments made in $((SECONDS - begin)) s by $JOBS processes"
/usr/bin/python3 - "$work/set/train" <<'EOF'
import glob
import sys

import h5py
import numpy as np

PUBLISHED = {"background": 0.98627, "cyclones": 0.000458, "rivers": 0.01327}
rows = []
for path in sorted(glob.glob(sys.argv[1] + "/*")):
    with h5py.File(path) as f:
        labels = f["climate/labels_0"][()].astype(int)
    rows.append(np.bincount(labels.ravel(), minlength=3) / labels.size)
mean, error = np.mean(rows, 0), np.std(rows, 0, ddof=1) / len(rows) ** 0.5
off = 0
for name, m, e in zip(PUBLISHED, mean, error):
    of = m / PUBLISHED[name]
    print(f"{name:>10} {m:.6f} +- {e:.6f}, {of:.2f} of the published {PUBLISHED[name]:.6f}")
    off += abs(of - 1) > 0.2
sys.exit(1 if off else 0)
EOF
