#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Applies each patch in mutants/, and those of the Swift pool's mutants that break the lock-free Swift core, to a copy of that
# core, and requires that the explorer notices. Each is built anew, which takes half a minute.
#
#   mutants.sh [patch ...]
#
# RUNS: how many runs for each scenario, by default 5000.
cd "$(dirname "$0")/.." || exit 2
RUNS=${RUNS:-5000}
[ $# -gt 0 ] || set -- swift/mutants/*.patch ../PoolMutants/mutants/swift-core-*.patch
make -s .build/swift/explore || exit
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
        timeout 600 "$build/swift/explore" --stop --without-views --without ticket-used-again --runs "$RUNS" >"$build/log" 2>&1
        found=$(sed -n 's/^FAILED //p' "$build/log" | head -n 1)
        caught=$((caught + (${#found} > 0)))
        why=${found:-SURVIVED}
    fi
    printf '%-40s %s\n' "$name" "$why"
done
rm -rf .build/swift-mutants
echo "$caught passed, $(($# - caught)) failed"
[ "$caught" -eq $# ]
