# SPDX-License-Identifier: BSD-3-Clause
# Lines "metric against ours theirs" of adjacent pairs, more is better: medians, the median
# of the ratios ours / theirs and its 90 % interval by order statistics. Met: upper end
# >= 0.98 and median >= 0.95; of a triad median >= 0.9.
BEGIN {
    printf "%-14s %-14s %6s %12s %12s %8s %17s  %s\n", "metric", "against", "pairs", "ours", "theirs", "ratio", "90 % interval", "aim"
}
/^#/ { next }
function sort(a, n,   i, j, t) {
    for (i = 2; i <= n; i++) { t = a[i]; for (j = i - 1; j > 0 && a[j] > t; j--) a[j + 1] = a[j]; a[j + 1] = t }
}
function middle(a, n) { return n % 2 ? a[(n + 1) / 2] : (a[n / 2] + a[n / 2 + 1]) / 2 }
function column(what, k,   i) { for (i = 1; i <= n[k]; i++) v[i] = what[k, i]; sort(v, n[k]); return middle(v, n[k]) }
{ k = $1 " " $2; if (!(k in n)) order[++kinds] = k; i = ++n[k]; ours[k, i] = $3; theirs[k, i] = $4; ratio[k, i] = $3 / $4 }
END {
    for (q = 1; q <= kinds; q++) {
        k = order[q]; split(k, name, " ")
        a = column(ours, k); b = column(theirs, k); r = column(ratio, k) # leaves v sorted
        half = 1.645 * sqrt(n[k]) / 2
        low = int(n[k] / 2 - half); high = n[k] + 1 - low
        if (low < 1) { low = 1; high = n[k] }
        met = name[1] ~ /triad/ ? r >= 0.9 : v[high] >= 0.98 && r >= 0.95
        printf "%-14s %-14s %6d %12.4g %12.4g %8.3f %8.3f %8.3f  %s\n", name[1], name[2], n[k], a, b, r, v[low], v[high], met ? "met" : "missed"
    }
}
