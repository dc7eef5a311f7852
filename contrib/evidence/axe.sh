#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# axe.sh [BUILD]
#
# The pages of the golden records, in both languages, light and dark, before
# axe-core, the accessibility checker of Deque. It is not in Debian; it ships inside
# the package axe-playwright-python of PyPI, which this fetches and whose one file it
# uses. Prints a table for results/axe.md.
set -euo pipefail
cd "$(dirname "$0")/../.."
build=$(realpath "${1:-build}") top=$PWD
place=$(mktemp -d)
trap 'rm -rf "$place"' EXIT
browser=$(command -v chromium || command -v google-chrome)

python3 -m pip download -q --no-deps -d "$place" axe-playwright-python==0.1.8
python3 -m zipfile -e "$place"/axe_playwright_python-*.whl "$place/axe"
axe=$(find "$place/axe" -name 'axe.min.js')

"$build/tests/reports/report/make_gallery" "$place"
export HPCAI500_EXEC_PATH=$build/reports/tools
hpcai500() { "$build/reports/tools/hpcai500" "$@"; }
cd "$place"
for lang in en ja; do
    for state in whole held several partial invalid alone ceilings hostile thousands; do
        hpcai500 report --lang=$lang --prices="$top/reports/report/prices.conf.example" -o $state-$lang.html $state.json
    done
    hpcai500 compare --lang=$lang --html=compare-$lang.html whole.json faster.json
done
echo "axe-core $(grep -oE 'axe v[0-9.]+' "$axe" | head -1 | cut -d v -f 2), $("$browser" --version 2>/dev/null)"
python3 "$top/tests/reports/report/look.py" axe "$browser" "$axe" ./*-en.html ./*-ja.html
