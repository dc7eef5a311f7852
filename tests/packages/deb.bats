#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# Debian packages of this tree: what is in them, what lintian says, and a life
# of theirs on this machine's own root: installed, run, removed, purged. All
# that is written there goes to an overlay, which is gone afterwards.
# contrib/test.sh runs this file; by hand: bats tests/packages/deb.bats

top_srcdir=${top_srcdir:-$(cd "$BATS_TEST_DIRNAME/../.." && pwd)}

setup_file() {
    command -v dpkg-buildpackage > /dev/null && command -v dh > /dev/null || skip "no debhelper here (Debian: debhelper)"
    export DEBS=${DEBS:-$BATS_FILE_TMPDIR/debs}
    # Without optimisation: these are looked at, not measured.
    ls "$DEBS"/*.deb > /dev/null 2>&1 ||
        DEB_BUILD_OPTIONS="noopt noautodbgsym" "$top_srcdir/contrib/packages/deb.sh" "$DEBS" > "$BATS_FILE_TMPDIR/log" 2>&1 ||
        { tail -n 40 "$BATS_FILE_TMPDIR/log"; return 1; }
}

files_of() { dpkg-deb -c "$DEBS"/"$1"_*.deb | awk '$1 !~ /^d/ { print $6 }' | sed 's,^\./,,'; }

@test "four packages, each with its own: the plugin needs no library, the agent no Slurm" {
    [ "$(ls "$DEBS" | sed -n 's/_.*[.]deb$//p' | tr '\n' ' ')" = \
        "hpcai500-agent hpcai500-collector hpcai500-slurm hpcai500-tools " ]
    files_of hpcai500-slurm | grep -qx 'usr/lib/.*/slurm-wlm/hpcai500[.]so'
    files_of hpcai500-slurm | grep -qx usr/share/hpcai500-slurm/plugstack.conf
    files_of hpcai500-agent | grep -qx usr/bin/hpcai500-agent
    files_of hpcai500-tools | grep -qx usr/bin/hpcai500
    files_of hpcai500-collector | grep -qx lib/systemd/system/hpcai500-collect.service
    [ "$(for p in slurm agent tools collector; do files_of hpcai500-$p; done | grep -v /doc/ | sort | uniq -d)" = "" ]
    local depends
    depends=$(dpkg-deb -f "$DEBS"/hpcai500-slurm_*.deb Depends); echo "slurm: $depends"
    [[ $depends == *"slurm-client (>= "*"slurm-client (<< "* && $depends == *libmunge2* ]]
    depends=$(dpkg-deb -f "$DEBS"/hpcai500-agent_*.deb Depends); echo "agent: $depends"
    [[ $depends == *libopenmpi* && $depends == *libdnnl* && $depends != *slurm* && $depends != *munge* ]]
}

@test "lintian has no error" {
    command -v lintian > /dev/null || skip "no lintian here"
    run lintian --allow-root --fail-on error "$DEBS"/*.changes
    echo "$output"
    [ "$status" -eq 0 ]
}

# inside SCRIPT: runs it on this machine's root under an overlay, with the
# packages in /debs, and says what it leaves there (not what it removes: type c)
inside() {
    unshare --mount --pid --fork --kill-child --propagation private bash -c '
        set -e
        mount -t tmpfs tmpfs /mnt
        mkdir /mnt/upper /mnt/work /mnt/root
        mount -t overlay overlay -o lowerdir=/,upperdir=/mnt/upper,workdir=/mnt/work /mnt/root 2> /dev/null || exit 77
        mkdir /mnt/root/debs
        cp "$1"/*.deb /mnt/root/debs
        mount --bind /dev /mnt/root/dev
        mount -t proc proc /mnt/root/proc
        mount --rbind /sys /mnt/root/sys
        mount -t tmpfs tmpfs /mnt/root/run
        mount -t tmpfs tmpfs /mnt/root/tmp
        printf "#!/bin/sh\nexit 101\n" > /mnt/root/tmp/policy
        install -m 755 /mnt/root/tmp/policy /mnt/root/usr/sbin/policy-rc.d
        env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C.UTF-8 DEBIAN_FRONTEND=noninteractive \
            OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 chroot /mnt/root bash -ec "$2"
        rm -rf /mnt/root/debs
        (cd /mnt/upper && find . -mindepth 1 ! -type d ! -type c ! -path ./usr/sbin/policy-rc.d) | sed "s,^[.],left: ,"' - "$DEBS" "$1"
}

@test "installed, run, removed and purged: nothing is left but what Debian's own tools write" {
    [ "$(id -u)" = 0 ] || skip "needs root"
    run inside '
        dpkg -i /debs/hpcai500-*.deb
        stat -c "%n %U %a" /var/spool/hpcai500 /var/spool/hpcai500/out /var/lib/hpcai500
        hpcai500 --version
        hpcai500 config spool
        mkdir /tmp/run; cd /tmp/run
        hpcai500 data generate cosmoflow,class=tiny --train 9 --validation 4 --out data
        hpcai500-agent cosmoflow,data=data,epochs=1,batch=4,out=records || [ $? -eq 1 ]
        hpcai500 show records/*.json
        cat > /tmp/slurm.conf <<C
ClusterName=bare
SlurmctldHost=localhost
PlugStackConfig=/etc/slurm/plugstack.conf
NodeName=localhost
PartitionName=main Nodes=ALL Default=YES
C
        SLURM_CONF=/tmp/slurm.conf srun --help | grep -e --hpcai500
        SLURM_CONF=/tmp/slurm.conf srun --hpcai500=componant true && exit 1 || true
        /usr/libexec/hpcai500/hpcai500-collect --help > /dev/null
        dpkg --remove hpcai500-slurm hpcai500-agent hpcai500-tools hpcai500-collector
        echo "of Slurm, without the plugin: $(SLURM_CONF=/tmp/slurm.conf srun --version 2>&1)"
        dpkg --purge hpcai500-slurm hpcai500-agent hpcai500-tools hpcai500-collector
        if dpkg -l | grep hpcai500; then exit 1; fi'
    echo "$output"
    [ "$status" -ne 77 ] || skip "no overlay can be mounted here"
    [ "$status" -eq 0 ]
    [[ $output == *"/var/spool/hpcai500 root 755"*"/var/spool/hpcai500/out slurm 700"*"/var/lib/hpcai500 slurm 750"* ]]
    [[ $output == *"'componant'"*"component"* ]]
    [[ $output == *"of Slurm, without the plugin: slurm-wlm "* ]]
    local left
    left=$(sed -n 's/^left: //p' <<< "$output" | grep -vE '^/(var/(lib/dpkg|log|cache/(man|ldconfig))/|etc/ld[.]so[.]cache$)' || true)
    echo "not expected: $left"
    [ -z "$left" ]
}

@test "what the site has collected outlives a purge" {
    [ "$(id -u)" = 0 ] || skip "needs root"
    run inside '
        dpkg -i /debs/hpcai500-*.deb > /dev/null
        touch /var/lib/hpcai500/history.sqlite /var/spool/hpcai500/out/x.bundle
        dpkg --purge hpcai500-slurm hpcai500-agent hpcai500-tools hpcai500-collector > /dev/null'
    echo "$output"
    [ "$status" -ne 77 ] || skip "no overlay can be mounted here"
    [ "$status" -eq 0 ]
    [[ $output == *"left: /var/lib/hpcai500/history.sqlite"* && $output == *"left: /var/spool/hpcai500/out/x.bundle"* ]]
}
