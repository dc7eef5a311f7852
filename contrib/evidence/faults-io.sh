#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# Every writer killed at every one of its system calls, and every error at
# every call that can fail; one line of counts for each writer.
#
# usage: faults-io.sh [BUILD-TREE] [CASE...]
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
build=$(cd "${1:-$top/build}" && pwd)
shift || true
# What make prints is not a result.
make -s -C "$build" build_id.h >&2
make -s -C "$build" tests/faults/once tests/faults/shim.la reports/tools/hpcai500-recover >&2
make -s -C "$build" spank/witness/hpcai500-witness spank/collect/hpcai500-collect tests/spank/collect/make_bundles tests/spank/relay/receiver >&2 || true
export top_builddir=$build top_srcdir=$top
exec python3 "$top/tests/faults/faults.py" "$@"
