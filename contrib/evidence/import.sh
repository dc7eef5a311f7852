#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# import.sh: real fields beside the generator's.
#
# Fetches Debian's ferret-datasets (apt-get download), imports its climatologies of the
# surface wind (COADS, by ships; the navy's, monthly) with `hpcai500 data import`,
# and prints the eastward wind's mean by latitude beside that of generated weather
# (UBOT of deepcam's tiny training set): trades from the east in the tropics,
# west wind at forty degrees, or not. Exit 1: a sign differs where both are above 1 m/s.
#
# HPCAI500_DATA and GENERATE name the programs (of a build tree).
set -euo pipefail
: "${HPCAI500_DATA:=hpcai500 data}" "${GENERATE:=hpcai500-generate}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
apt-get download -q ferret-datasets >/dev/null
dpkg -x ferret-datasets_*.deb .
find . -name "*.cdf" | sed "s,.*/,," | sort | tr "\n" " "
echo
coads=$(find . -name 'coads_climatology.cdf') navy=$(find . -name 'monthly_navy_winds.cdf')
for file in "$coads" "$navy"; do
    echo "== $(basename "$file")"
    $HPCAI500_DATA import "$file" -o "$(basename "$file" .cdf).h5"
done
"$GENERATE" deepcam,class=tiny --train 128 --validation 16 --out set >/dev/null 2>&1
/usr/bin/python3 - <<'EOF'
import glob
import sys

import h5py
import numpy as np


def zonal(path, u, lat):
    """Mean over all but latitude (the second last axis), and the latitudes."""
    with h5py.File(path) as f:
        x, y = f[u][()].astype(float), f[lat][()].astype(float)
    other = tuple(i for i in range(x.ndim) if i != x.ndim - 2)
    return np.nanmean(x, other), y


def latitude(path, n):
    with h5py.File(path) as f:
        return next(k for k in f if f[k].shape == (n,) and np.nanmin(f[k]) < -20 and np.nanmax(f[k]) < 91)


def wind(path):
    with h5py.File(path) as f:
        u = next(k for k in ("UWND", "uwnd", "UWND1") if k in f)
        n = f[u].shape[-2]
    return zonal(path, u, latitude(path, n))


made = np.mean([h5py.File(p)["climate/data"][:, :, 10] for p in sorted(glob.glob("set/train/*"))], (0, 2))
rows = [wind("coads_climatology.h5"), wind("monthly_navy_winds.h5"), (made, np.linspace(-66, 66, len(made)))]
names = ("COADS", "navy", "generated")
print(f"{'latitude':>9} " + " ".join(f"{n:>9}" for n in names) + "   [m/s, eastward]")
wrong = 0
for centre in range(-60, 61, 15):
    mean = [float(np.nanmean(u[np.abs(y - centre) <= 7.5])) for u, y in rows]
    print(f"{centre:>9} " + " ".join(f"{m:9.2f}" for m in mean))
    for real in mean[:2]:
        wrong += abs(real) > 1 and abs(mean[2]) > 1 and real * mean[2] < 0
print(f"{wrong} signs that differ where both are above 1 m/s")
sys.exit(1 if wrong else 0)
EOF
