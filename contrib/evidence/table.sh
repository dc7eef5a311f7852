#!/bin/bash
# SPDX-License-Identifier: BSD-3-Clause
# table.sh [--write]: what training takes, of every workload and class whose seeds
# stand in contrib/evidence/results/rcp-*.md; from those files alone.
#
# Epochs are mean +- standard deviation over the seeds that reached the target (three
# at least were trained), seconds and samples/s the median with the least and the
# most. --write puts it into workloads/README.md, between its marks. RESULTS names
# another folder, README another file.
set -euo pipefail
top=$(cd "$(dirname "$0")/../.." && pwd)
results=${RESULTS:-$top/contrib/evidence/results}
readme=${README:-$top/workloads/README.md}
begin='<!-- contrib/evidence/table.sh --write makes what follows -->'
end='<!-- to here -->'

# row FILE: a line of the table; none of fewer than three seeds
row() {
    local name
    name=$(basename "$1" .md)
    name=${name#rcp-}
    awk -v workload="${name%%-*}" -v class="$(cut -d- -f2 <<< "$name")" '
        function cell(line) { sub(/^\| [a-z]+ \| /, "", line); sub(/ \|$/, "", line); return line }
        function round3(v) { return sprintf(v < 100 ? "%.3g" : "%.0f", v) }
        # the median of n values, sorted into s, and their ends
        function spread(v, n,    i, k, t, s) {
            for (i = 1; i <= n; i++) s[i] = v[i]
            for (i = 2; i <= n; i++)
                for (k = i; k > 1 && s[k - 1] > s[k]; k--) { t = s[k]; s[k] = s[k - 1]; s[k - 1] = t }
            return round3(n % 2 ? s[(n + 1) / 2] : (s[n / 2] + s[n / 2 + 1]) / 2) " (" round3(s[1]) " to " round3(s[n]) ")"
        }
        /^\| processor \| /   { machine = cell($0) }
        /^AGENT=/ {
            split($0, word, "\047")
            agent = word[2]
            sub(/ *hpcai500-agent.*/, "", agent)
            keys = $0 ~ /KEYS=/ ? word[4] : ""
            together = match($0, /JOBS=[0-9]+/) ? substr($0, RSTART + 5, RLENGTH - 5) : 1
            commit = $0
            sub(/.*hpcai500-agent [0-9.]+ \(/, "", commit)
            commit = substr(commit, 1, 12)
        }
        /^seed .*epochs/      { table = 1; next }
        /^(long|reached|```)/ { table = 0 }
        table && NF == 6 && $1 ~ /^[0-9]+$/ {
            seeds++
            target = $4 + 0
            if ($2 == "-" || $5 == "-") next
            n++; epochs[n] = $2; seconds[n] = $5; speed[n] = $6
            sum += $2
        }
        END {
            if (seeds < 3) exit
            mean = sum / n
            deviation = 0
            for (i = 1; i <= n; i++) squares += (epochs[i] - mean) ^ 2
            if (n > 1) deviation = sqrt(squares / (n - 1))
            ranks = match(agent, /-n [0-9]+/) ? substr(agent, RSTART + 3, RLENGTH - 3) : 1
            how = ranks (ranks == 1 ? " rank" : " ranks") (match(keys, /threads=[0-9]+/) ? " x " substr(keys, RSTART + 8, RLENGTH - 8) " thread" : "")
            if (together > 1) how = how ", " together " seeds at a time"
            printf "| `%s` | %s | %s | %d of %d | %.3g +- %.2g | %s | %s | %s | %s | `%s` |\n", workload, class, target,
                n, seeds, mean, deviation, spread(seconds, n), spread(speed, n), how,
                machine == "" ? "not said" : machine, commit
        }' "$1"
}

table() {
    local file class
    echo '| workload | class | target | reached | epochs | seconds to it | samples/s | run as | on | commit |'
    echo '|---|---|---|---|---|---|---|---|---|---|'
    for class in tiny small standard; do
        for file in "$results"/rcp-*-$class-*.md; do
            if [ -e "$file" ]; then row "$file"; fi
        done
    done
}

case ${1-} in
    '') table ;;
    --write)
        grep -qxF "$begin" "$readme" && grep -qxF "$end" "$readme" ||
            { echo "table.sh: $readme does not have the marks '$begin' and '$end'" >&2; exit 1; }
        { sed "/^$(sed 's/[.]/\\&/g; s,/,\\/,g' <<< "$begin")\$/q" "$readme"; table; sed -n "/^$end\$/,\$p" "$readme"; } > "$readme.new"
        mv "$readme.new" "$readme" ;;
    *) echo "usage: table.sh [--write]" >&2; exit 2 ;;
esac
