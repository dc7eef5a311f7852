#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# The recipes of packages agree with the tree: one version, options that
# configure has, programs that there are. Building them is deb.bats
# and contrib/evidence/rpm.sh.

top_srcdir=${top_srcdir:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}
spec=$top_srcdir/contrib/rpm/hpcai500.spec
recipe=$top_srcdir/contrib/spack/package.py
debian=$top_srcdir/contrib/debian

@test "NEWS, configure, the spec and the recipe name one version" {
    local version
    version=$(sed -n 's/^AC_INIT(\[hpcai500\], \[\([^]]*\)\].*/\1/p' "$top_srcdir/configure.ac")
    [ -n "$version" ]
    [ "$(sed -n 's/^\([0-9][^ ]*\).*/\1/p' "$top_srcdir/NEWS" | head -n 1)" = "$version" ]
    [ "$(sed -n 's/^Version: *//p' "$spec")" = "$version" ]
    [ "$(/usr/bin/python3 "$BATS_TEST_DIRNAME/recipe.py" "$recipe" | sed -n 's/^version \([^ ]*\).*/\1/p')" = "$version" ]
}

# options FILE...: the --with words in it
options() { grep -ohE -- '--with(out)?-[a-z0-9]+' "$@" | sed -E 's/^--with(out)?-//' | sort -u; }

@test "what the packages ask of configure, configure has" {
    local known asked
    known=$( (grep -oE 'HPCAI500_WITH\(\[[a-z0-9]+' "$top_srcdir/configure.ac" | sed 's/.*\[//'
        grep -ohE -- '(AC_ARG_WITH\(\[|--with-)[a-z]+' "$top_srcdir/configure.ac" "$top_srcdir/contrib/m4/hpcai500.m4" | sed -E 's/.*(\[|--with-)//'
        echo slurm) | sort -u)
    /usr/bin/python3 "$BATS_TEST_DIRNAME/recipe.py" "$recipe" > "$BATS_TEST_TMPDIR/recipe"
    asked=$(options "$spec" "$debian/rules" "$BATS_TEST_TMPDIR/recipe")
    echo "known: $known; asked: $asked"
    [ -z "$(comm -13 <(echo "$known") <(echo "$asked"))" ]
    # each variant of the recipe is an option
    [ -z "$(comm -13 <(echo "$known") <(sed -n 's/^variant \([^ ]*\).*/\1/p' "$BATS_TEST_TMPDIR/recipe" | sort))" ]
}

@test "the programs and pages that the recipes name are installed; the rest is of the tools" {
    local installed named
    installed=$(find "$top_srcdir" -name local.mk -not -path '*/build/*' -exec cat {} + | tr -s ' ' '\n' | sed 's,.*/,,' |
        grep -E 'hpcai500|^(data-view|health|reboot)$' | sort -u)
    named=$( (grep -hoE '/(bin|libexec/hpcai500|man/man.)/[^ *]+$' "$debian"/*.install
        grep -hoE '^%[{]_(bindir|libexecdir|mandir)[}].*/[^*]+' "$spec") | sed 's,.*/,,' | sort -u)
    echo "named: $named"
    [ "$(grep -c . <<< "$named")" -ge 10 ]
    [ -z "$(comm -13 <(echo "$installed") <(echo "$named"))" ]
}

@test "what runs on compute nodes is in the agent's package, and only there" {
    local name left
    for name in hpcai500-node hpcai500-node.8; do
        grep -qE "/$name\$" "$debian/hpcai500-agent.install"
        sed -n '/^%files agent/,/^%files tools/p' "$spec" | grep -qE "/$name[*]?\$"
        # and not in the list of what is left, which is the tools'
        left=$(sed -n "s/.*grep -vE '\(.*\)' |\$/\1/p" "$spec" | paste -sd '|')
        [ -z "$(grep -vE "$left" <<< "/usr/libexec/hpcai500/$name")" ]
    done
}

@test "each unit for systemd in the tree is in the tarball" {
    local listed unit
    listed=$(sed -e ':a' -e '/\\$/{N;s/\\\n//;ba' -e '}' "$top_srcdir/contrib/local.mk" | grep '^EXTRA_DIST')
    for unit in "$top_srcdir"/contrib/systemd/*; do
        echo "$unit"
        grep -qF "/systemd/${unit##*/}" <<< "$listed"
    done
}

@test "the spec is one that rpm reads" {
    command -v rpmspec > /dev/null || skip "no rpmspec here (Debian: rpm)"
    run rpmspec --define "_unitdir /u" --define "_tmpfilesdir /t" -q "$spec"
    echo "$output"
    [ "$status" -eq 0 ]
    [ "$(grep -c '^hpcai500-\(slurm\|agent\|tools\|collector\)-' <<< "$output")" = 4 ]
}
