#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Applies each patch in mutants/, and those of the Swift pool's mutants that break the lock-free Swift core, to a copy of that
# core, and requires that the explorer notices. Each is built anew, which takes half a minute.
#
# The schedule that catches a mutant lies in mutants/, and is replayed first, so the result does not depend on the machine. If
# there is none, or if it does not catch the mutant any more because the code has changed, the scenario that the patch names is
# explored, and then all. What catches the mutant is saved, to be committed.
#
#   mutants.sh [patch ...]
#
# RUNS: how many runs for each scenario, by default 5000; the scenario of the patch has forty times as many.
cd "$(dirname "$0")/.." || exit 2
RUNS=${RUNS:-5000}
[ $# -gt 0 ] || set -- swift/mutants/*.patch ../PoolMutants/mutants/swift-core-*.patch
make -s .build/swift/explore || exit
# What fails without a mutant shows nothing.
if ! .build/swift/explore --regressions swift/mutants --scenario none >.build/swift/log; then
    cat .build/swift/log
    exit 1
fi
caught=0
for patch in "$@"; do
    name=$(basename "$patch" .patch)
    build=.build/swift-mutants
    rm -rf "$build"
    mkdir -p "$build/root/Sources/BurstPool" "$build/swift"
    cp -R ../../Sources/BurstPoolSwiftCores "$build/root/Sources/"
    cp -R ../../Sources/BurstPool/Core "$build/root/Sources/BurstPool/"
    why=
    if ! patch -s -F 0 -p1 -d "$build/root" <"$patch" >"$build/log" 2>&1; then
        why="DOES NOT APPLY"
    elif ! make -s BUILD="$build" HARNESS=.build SWIFT_ROOT="$build/root" "$build/swift/explore" >"$build/log" 2>&1; then
        why="DOES NOT BUILD"
    else
        saved=swift/mutants/$name.schedule
        new=
        [ ! -f "$saved" ] || timeout 60 "$build/swift/explore" --schedule "$saved" >"$build/log" 2>&1
        if ! grep -q '^FAILED ' "$build/log"; then
            new=' (schedule saved)'
            timeout 600 "$build/swift/explore" --stop --without-views --without ticket-used-again \
                --first "$(sed -n 's/^scenario: //p' "$patch")" --first-runs $((RUNS * 40)) --runs "$RUNS" \
                --save-as "$build/schedule" >"$build/log" 2>&1
        fi
        found=$(sed -n 's/^FAILED //p' "$build/log" | head -n 1)
        caught=$((caught + (${#found} > 0)))
        why=${found:+$found$new}
        why=${why:-SURVIVED}
        [ -z "$found" ] || [ -z "$new" ] || cp "$build/schedule" "$saved"
    fi
    printf '%-40s %s\n' "$name" "$why"
done
rm -rf .build/swift-mutants
echo "$caught passed, $(($# - caught)) failed"
[ "$caught" -eq $# ]
