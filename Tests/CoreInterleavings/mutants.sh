#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Applies each patch in mutants/ to a copy of the core, builds the explorer on it, and requires that a check fails.
#
# A patch begins with what is wrong, and with the scenario to try first. Beside it lies the schedule that catches it, which
# is replayed first: so the result does not depend on the machine. If there is none, or if it does not catch the mutant any
# more because the code has changed, the saved schedules of regressions/ are replayed, then the scenario of the patch is
# explored, and then all. What catches the mutant is saved beside the patch, to be committed.
#
#   mutants.sh [patch ...]
#
# RUNS: how many runs for each scenario, by default 20000; the scenario of the patch has ten times as many.
# JOBS: how many mutants at the same time, by default as many as there are processors.
cd "$(dirname "$0")" || exit 2
CORE=../../CSources/CBurstPool
CC=${CC:-clang}
RUNS=${RUNS:-20000}
export CC RUNS

build() { # build FOLDER, which has the core in it
    make -s BUILD="$1" CORE="$1/core" HARNESS=.build CFLAGS="-std=gnu11 -O1" "$1/explore"
}

# Runs one mutant in its own folder, and prints what caught it.
if [ "${1:-}" = --one ]; then
    patch=$2
    name=$(basename "$patch" .patch)
    saved=${patch%.patch}.schedule
    first=$(sed -n 's/^scenario: //p' "$patch")
    build=.build/mutants/$name
    trap 'rm -rf "$build"' EXIT
    # Copies the modification times too, so that only the files that the patch changes are built again.
    cp -Rp .build/mutants/none "$build"
    if ! patch -s -F 0 -p1 -d "$build/core" <"$patch" >"$build/log" 2>&1; then
        printf '%-40s DOES NOT APPLY\n' "$name"
        exit
    fi
    if ! build "$build" >"$build/log" 2>&1; then
        printf '%-40s DOES NOT BUILD\n' "$name"
        exit
    fi
    new=
    [ ! -f "$saved" ] || timeout 60 "$build/explore" --schedule "$saved" >"$build/log" 2>/dev/null
    if ! grep -q '^FAILED ' "$build/log"; then
        new=' (schedule saved)'
        timeout 600 "$build/explore" --stop --regressions regressions --first "$first" --runs "$RUNS" \
            --first-runs $((RUNS * 10)) --save-as "$build/schedule" >"$build/log" 2>/dev/null
    fi
    why=$(sed -n 's/^FAILED //p' "$build/log" | head -n 1)
    if [ -z "$why" ]; then
        printf '%-40s SURVIVED\n' "$name"
    else
        [ -z "$new" ] || cp "$build/schedule" "$saved"
        printf '%-40s %s\n' "$name" "$why$new"
    fi
    exit
fi

[ $# -gt 0 ] || set -- mutants/*.patch
# The build without a patch. Objects that are not built from the core are the same for all mutants.
rm -rf .build/mutants
mkdir -p .build/mutants/none
cp -R "$CORE" .build/mutants/none/core
build .build/mutants/none || exit
# What fails without a mutant shows nothing.
if ! .build/mutants/none/explore --regressions mutants --scenario none >.build/mutants/log; then
    cat .build/mutants/log
    exit 1
fi
results=$(mktemp)
trap 'rm -f "$results"' EXIT
printf '%s\n' "$@" | xargs -P "${JOBS:-$(getconf _NPROCESSORS_ONLN)}" -I '{}' "./$(basename "$0")" --one '{}' | tee "$results"
survived=$(grep -cE ' (DOES NOT APPLY|DOES NOT BUILD|SURVIVED)$' "$results")
caught=$(($(wc -l <"$results") - survived))
# Counts mutants without a result as survivors.
survived=$(($# - caught))
echo "$caught passed, $survived failed"
[ "$survived" -eq 0 ]
