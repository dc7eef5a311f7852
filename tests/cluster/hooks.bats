#!/usr/bin/env bats
# SPDX-License-Identifier: BSD-3-Clause
# What a failing hook costs on this Slurm, shown by a plugin whose hooks fail:
# as `optional` nothing, as `required` up to the node. Then ours, as `required`
# and with all that it needs broken: no node.

load helper
load ../no

eval "$(declare -f setup setup_file teardown | sed 's/^setup ()/helper_&/; s/^setup_file ()/helper_&/; s/^teardown ()/helper_&/')"

setup_file() {
    helper_setup_file
    export FAILS=$S/shared/fails.so
    cat > "$S/shared/fails.c" <<'C'
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <slurm/spank.h>

SPANK_PLUGIN(fails, 1)

/* fails.so HOOK@CONTEXT|all CODE LOG: such a hook writes its name and fails */
static int fail(const char *hook, int argc, char **argv)
{
    static const char *const contexts[] = {"error", "local", "remote", "allocator", "slurmd", "script"};
    char name[64];
    int fd = argc == 3 ? open(argv[2], O_WRONLY | O_APPEND | O_CREAT, 0666) : -1;

    snprintf(name, sizeof name, "%s@%s\n", hook, contexts[spank_context()]);
    int wanted = fd >= 0 && (strcmp(argv[0], "all") == 0 ||
                             strncmp(argv[0], name, strlen(name) - 1) == 0);
    if (wanted && write(fd, name, strlen(name)) < 0)
        wanted = 0;
    close(fd);
    return wanted ? atoi(argv[1]) : 0;
}

#define HOOK(name) int slurm_spank_##name(spank_t sp, int ac, char **av) { (void)sp; return fail(#name, ac, av); }
HOOK(init) HOOK(init_post_opt) HOOK(local_user_init) HOOK(user_init) HOOK(task_init_privileged) HOOK(task_init)
HOOK(task_post_fork) HOOK(task_exit) HOOK(job_prolog) HOOK(job_epilog) HOOK(slurmd_exit) HOOK(exit)
C
    cc -shared -fPIC "$S/shared/fails.c" -o "$FAILS"
}

teardown_file() { "$lab" plugin; }

setup() {
    helper_setup
    printf '#!/bin/sh\necho script\n' > job.sh
}

teardown() {
    "$lab" plugin
    undrain
    helper_teardown
}

# plugstack LINE: it alone, everywhere
plugstack() {
    local node
    for node in "$S"/node "$S"/nodes/*/; do
        echo "$1" > "$node/plugstack.conf.new"
        mv "$node/plugstack.conf.new" "$node/plugstack.conf"
    done
}

# since RELEASE: the installed Slurm is that one or a later one
since() { printf '%s\n' "$1" "$(sinfo --version | sed 's/.* //')" | sort -VC; }

bundle_of() { [ "$(ls "$S/spool/out/"*-"$1"-n1-*.bundle | wc -l)" = 1 ]; }
reason() { sinfo -h -p main -n n1 -t drain,down,fail -o '%E'; }
is_drained() { [ "$(reason)" = "$1" ]; }
undrain() { [ -z "$(reason)" ] || scontrol update nodename=n1 state=resume; }

@test "optional: whatever each hook returns, jobs run and no node drains" {
    local code called
    for code in -1 1; do
        plugstack "optional $FAILS all $code $OUT/calls.$code"
        touch "calls.$code"; chmod 666 "calls.$code"
        [ "$(srun_ -w n1 echo alive 2> "err.$code")" = alive ]
        timeout 300 sbatch --wait -w n1 -o "$OUT/out.$code" job.sh
        [ "$(cat "out.$code")" = script ]
        await 5 idle
        sort -u "calls.$code" | diff - /dev/fd/5 5<<T
exit@allocator
exit@local
exit@remote
init@allocator
init@local
init@remote
init_post_opt@allocator
init_post_opt@local
init_post_opt@remote
job_epilog@script
job_prolog@script
local_user_init@local
task_exit@remote
task_init@remote
task_init_privileged@remote
task_post_fork@remote
user_init@remote
T
    done
}

@test "required: which hooks take the node, by a batch job" {
    local hook code reason
    while IFS='|' read -r hook code reason; do
        rm -f "calls.$hook" "out.$hook"
        plugstack "required $FAILS $hook $code $OUT/calls.$hook"
        sbatch -w n1 -o "$OUT/out.$hook" job.sh < /dev/null
        # before 25.05 only what is negative is a failure
        [ "$code" -lt 0 ] || since 25.05 || reason=
        if [ -n "$reason" ]; then
            await 5 is_drained "$reason" || { echo "$hook: $(reason)"; return 1; }
            scancel --quiet --user="$(id -un)"
            undrain
        fi
        await 5 idle || { echo "$hook: $(reason)"; return 1; }
        [ -s "calls.$hook" ]
    done <<'T'
init@remote|-1|batch job complete failure
user_init@remote|-1|batch job complete failure
task_post_fork@remote|-1|batch job complete failure
job_prolog@script|-1|Prolog error
job_epilog@script|-1|Epilog error
task_init@remote|-1|
task_exit@remote|-1|
init@remote|1|batch job complete failure
user_init@remote|1|batch job complete failure
task_post_fork@remote|1|batch job complete failure
job_prolog@script|1|Prolog error
job_epilog@script|1|Epilog error
task_exit@remote|1|
T
    grep -qx script "out.task_exit@remote"
    no grep -qx script "out.task_init@remote"
}

@test "ours, required and with all that it needs broken: jobs run and no node drains" {
    local broken so=$S/prefix/lib/slurm/hpcai500.so
    printf '#!/bin/sh\nkill -SEGV $$\n' > dies; chmod 755 dies
    for broken in "agnet=/x witness=relative" \
        "agent=/no/hpcai500-agent conf=/etc/passwd witness=$OUT/dies spool=/proc/nowhere"; do
        plugstack "required $so $broken"
        [ "$(srun_ -w n1 echo alive)" = alive ]
        timeout 300 sbatch --wait -w n1 -o "$OUT/out" job.sh
        [ "$(cat out)" = script ]
        # with the option: its own end, never the node's
        run env _SLURM_SPANK_OPTION_hpcai500_hpcai500=componet timeout 300 srun -w n1 true < /dev/null
        [ "$status" -eq 1 ]
        run env SBATCH_EXPORT=ALL SLURM_SPANK__SLURM_SPANK_OPTION_hpcai500_hpcai500='%n' \
            timeout 300 sbatch --wait -w n1 -o "$OUT/out" job.sh
        await 5 idle || { echo "$broken: $(reason)"; return 1; }
    done
}

@test "ours, with an epilog that Slurm runs three times: one bundle, and no node drains" {
    need_root
    [ -x "$S/prefix/libexec/hpcai500/hpcai500-witness" ] || skip "the witness was not built"
    plugstack "required $S/prefix/lib/slurm/hpcai500.so agent=/no/hpcai500-agent conf=$HPCAI500_CONF"
    srun_ -w n1 --hpcai500=cosmoflow sh -c 'echo "$SLURM_JOB_ID"' > out 2> err
    local job; job=$(cat out)
    await 5 idle
    await 5 bundle_of "$job"
    cp -p "$S/spool/out/"*-"$job"-n1-*.bundle first
    for _ in 2 3; do
        "$lab" exec n1 env -i "PATH=$PATH" SLURM_CONF="$SLURM_CONF" SLURM_JOB_ID="$job" SLURM_JOB_UID="$(id -u)" \
            SLURMD_NODENAME=n1 HPCAI500_CONF="$HPCAI500_CONF" "$S/prefix/libexec/hpcai500/hpcai500-witness" end
    done
    bundle_of "$job" # still one, and the same
    cmp first "$S/spool/out/"*-"$job"-n1-*.bundle
    [ -z "$(reason)" ]
}
