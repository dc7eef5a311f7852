#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# PyTorch's twin of the climate workload gives the engine's losses, from the
# same files and start values; what lies beside the files is of them.

load twins.bash

setup() {
    twin_of deepcam
}

@test "the first losses agree to 5 digits" {
    first_losses_agree
}

@test "stats.h5 says what the training files hold" {
    python - "$dir/set" <<'END'
import glob
import sys
try:
    import h5py
    import numpy as np
except ImportError as e:
    print(e)
    sys.exit(77)
x = np.stack([h5py.File(p)["climate/data"][()] for p in sorted(glob.glob(sys.argv[1] + "/train/*"))]).astype(float)
with h5py.File(sys.argv[1] + "/stats.h5") as f:
    stats = {name: f["climate/" + name][()] for name in ("count", "mean", "sqmean", "minval", "maxval")}
assert stats["count"] == [len(x)]
assert (stats["minval"] == x.min((0, 1, 2))).all() and (stats["maxval"] == x.max((0, 1, 2))).all()
assert np.allclose(stats["sqmean"], (x ** 2).mean((0, 1, 2)), rtol=1e-6, atol=0)
assert np.allclose(stats["mean"], x.mean((0, 1, 2)), rtol=1e-6, atol=1e-6 * x.std((0, 1, 2)))
END
    [ "$status" -eq 0 ]
}
