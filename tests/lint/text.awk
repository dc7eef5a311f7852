# SPDX-License-Identifier: BSD-3-Clause
# Line rules for C sources: awk -f text.awk rules.txt FILES. Prints
# FILE:LINE: SENTENCE per violation; the exit status is 1 when there is one.
# CORE is a list of sources that may use libc only (what the plugin links).

function complain(line, words) {
    printf "%s:%d: %s\n", file, line, words
    bad = 1
}

# The list of globs as one regular expression.
function regex(globs) {
    gsub(/[.+]/, "\\\\&", globs)
    gsub(/\*/, ".*", globs)
    gsub(/ +/, "|", globs)
    return "^(" globs ")$"
}

function rule(line,    word, rest, cut) {
    sub(/[ \t]*#.*/, "", line)
    sub(/[ \t]+$/, "", line)
    if (line == "")
        return
    word = line
    sub(/ .*/, "", word)
    rest = substr(line, length(word) + 2)
    cut = index(rest, ": ")
    if (word == "arrow")
        arrow[substr(rest, 1, cut - 1)] = regex(substr(rest, cut + 2))
    else if (word == "foreign") {
        foreign[++n_foreign] = regex(substr(rest, 1, cut - 1))
        where[n_foreign] = regex(substr(rest, cut + 2))
        names[n_foreign] = substr(rest, cut + 2)
    } else if (word == "libc")
        libc[++n_libc] = regex(rest)
    else if (word == "speak")
        speaks[++n_speaks] = regex(rest)
    else if (word == "generated")
        generated = regex(rest)
    else {
        printf "rules.txt: no rule is called %s\n", word
        exit 2
    }
}

# The line without comments and without what is inside quotes.
function code(s,    out, at) {
    out = ""
    while (s != "") {
        if (in_comment) {
            at = index(s, "*/")
            if (!at)
                return out
            s = substr(s, at + 2)
            in_comment = 0
        }
        if (!match(s, /["']|\/[*\/]/))
            return out s
        out = out substr(s, 1, RSTART - 1)
        at = substr(s, RSTART, RLENGTH)
        s = substr(s, RSTART + RLENGTH)
        if (at == "//")
            return out
        if (at == "/*") {
            in_comment = 1
            continue
        }
        out = out at at
        if (!match(s, at == "\"" ? "^([^\"\\\\]|\\\\.)*\"" : "^([^'\\\\]|\\\\.)*'"))
            return out
        s = substr(s, RLENGTH + 1)
    }
    return out
}

function is_libc(h,    i) {
    for (i = 1; i <= n_libc; i++)
        if (h ~ libc[i])
            return 1
    return 0
}

# The longest folder above a file that has a row of arrows, else its first one.
function room(path,    at) {
    for (at = path; sub(/\/[^\/]*$/, "", at);)
        if (at in arrow)
            return at
    sub(/\/.*/, "", path)
    return path
}

function may_speak(    i) {
    for (i = 1; i <= n_speaks; i++)
        if (file ~ speaks[i])
            return 1
    return has_main
}

function check_foreign(h,    i) {
    if (h == "config.h" || is_libc(h))
        return
    for (i = 1; i <= n_foreign; i++) {
        if (h !~ foreign[i])
            continue
        if (file !~ where[i])
            complain(FNR, "<" h "> belongs in " names[i] " only")
        else if (index(" " CORE " ", " " file " "))
            complain(FNR, "the plugin links this file: it may include libc only, not <" h ">")
        return
    }
    complain(FNR, "<" h "> stands in no row of tests/lint/rules.txt")
}

function check_own(h,    to) {
    if (h ~ generated)
        return
    if (h == "config.h") {
        complain(FNR, "config.h is included as <config.h>")
        return
    }
    if (h !~ /\//) {
        if (folder !~ /^tests/) # a test may name its neighbour
            complain(FNR, "\"" h "\" is included without its folder")
        return
    }
    if (room(h) !~ arrow[folder])
        complain(FNR, folder " may not include \"" h "\"")
}

function include(s,    h) {
    h = s
    sub(/^[ \t]*#[ \t]*include[ \t]*/, "", h)
    includes++
    if (h ~ /^</) {
        sub(/^</, "", h)
        sub(/>.*/, "", h)
        if (is_header && h == "config.h")
            complain(FNR, "no header includes config.h")
        check_foreign(h)
    } else if (h ~ /^"/) {
        sub(/^"/, "", h)
        sub(/".*/, "", h)
        check_own(h)
    } else
        return
    # A test that takes a whole .c file in gets config.h from that.
    if (file ~ /\.c$/ && includes == 1 && h != "config.h" && !(folder == "tests" && h ~ /\.c$/))
        complain(FNR, "a .c file includes <config.h> first, not " h)
}

# The guard ends in FOLDER_FILE_H; folders above may stand before it.
function check_guard(s,    guard, want, whole, parts, n) {
    guard = s
    sub(/^[ \t]*#[ \t]*ifndef[ \t]+/, "", guard)
    sub(/[^A-Za-z0-9_].*/, "", guard)
    whole = toupper(file)
    gsub(/[.-]/, "_", whole)
    n = split(whole, parts, "/")
    want = parts[n - 1] "_" parts[n]
    gsub(/\//, "_", whole)
    if (guard != want && guard != whole)
        complain(FNR, "the guard is " guard ", wanted " want)
    guarded = 1
}

# Done at the end: only then is it known whether the file has a main().
function check_speech(    i) {
    if (may_speak())
        return
    for (i = 1; i <= n_said; i++)
        complain(said_line[i], "a library does not " said[i])
}

function finish() {
    if (file == "")
        return
    if (!spdx)
        complain(1, "no SPDX line")
    if (is_header && !guarded)
        complain(1, "the header has no guard")
    if (file ~ /\.c$/ && !includes)
        complain(1, "a .c file includes <config.h> first")
    check_speech()
}

function begin() {
    file = FILENAME
    folder = room(file)
    is_header = file ~ /\.h$/
    spdx = includes = guarded = in_comment = has_main = n_said = 0
    if (!(folder in arrow))
        complain(1, "the folder " folder " has no row in tests/lint/rules.txt")
}

BEGIN {
    voice = "(printf|vprintf|puts|putchar|perror|exit|_exit|_Exit|quick_exit|abort)"
}

FNR == NR {
    rule($0)
    next
}

FNR == 1 {
    finish()
    begin()
}

{
    was_comment = in_comment
    text = code($0)
    if (FNR <= 3 && /SPDX-License-Identifier: BSD-3-Clause/)
        spdx = 1
    if (/\t/)
        complain(FNR, "a tab")
    if (!was_comment && /^[ \t]*#[ \t]*include[ \t]*["<]/)
        include($0)
    if (is_header && !guarded && text ~ /^[ \t]*#[ \t]*ifndef/)
        check_guard(text)
    if (text ~ /(^|[^A-Za-z0-9_])int main\(/)
        has_main = 1
    if (match(text, "(^|[^A-Za-z0-9_.>])" voice "[ \t]*\\(")) {
        said[++n_said] = "call " substr(text, RSTART, RLENGTH) ")"
        sub(/call [^A-Za-z_]/, "call ", said[n_said])
        said_line[n_said] = FNR
    }
    if (match(text, /(^|[^A-Za-z0-9_])std(out|err)([^A-Za-z0-9_]|$)/)) {
        said[++n_said] = "write to stdout or stderr"
        said_line[n_said] = FNR
    }
}

END {
    finish()
    exit bad
}
