#!/bin/sh
# Applies each patch in mutants/ to a copy of the core, builds the explorer on it, and requires that a check fails.
# A patch begins with what is wrong, and with the scenario to try first. The saved schedules are replayed before that,
# and after it all scenarios are tried.
#
#   mutants.sh [seconds for all scenarios] [patch ...]
cd "$(dirname "$0")" || exit 2
CORE=../../CSources/CBurstPool
BUILD=.build/mutants
CC=${CC:-clang}
seconds=${1:-30}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- mutants/*.patch
mkdir -p "$BUILD"
caught=0
survived=0
number=0
for patch in "$@"; do
    number=$((number + 1))
    name=$(basename "$patch" .patch)
    first=$(sed -n 's/^scenario: //p' "$patch")
    [ -t 2 ] && printf '\r%d of %d: %-50s' "$number" $# "$name" >&2
    rm -rf "$BUILD/core"
    cp -R "$CORE" "$BUILD/core"
    if ! patch -s -F 0 -p1 -d "$BUILD/core" <"$patch" >"$BUILD/log" 2>&1; then
        printf '%-40s DOES NOT APPLY\n' "$name"
        survived=$((survived + 1))
        continue
    fi
    # Only what is built from the core; the rest of the explorer is the same for all.
    if ! make -s BUILD="$BUILD" CORE="$BUILD/core" HARNESS=.build CFLAGS="-std=gnu11 -O1" "$BUILD/explore" \
        >"$BUILD/log" 2>&1; then
        printf '%-40s DOES NOT BUILD\n' "$name"
        survived=$((survived + 1))
        continue
    fi
    timeout 120 "$BUILD/explore" --stop --regressions regressions --first "$first" --seconds "$seconds" \
        >"$BUILD/log" 2>/dev/null
    status=$?
    why=$(sed -n 's/^FAILED //p' "$BUILD/log" | head -n 1)
    if [ $status -eq 0 ] || [ $status -eq 124 ]; then
        printf '%-40s SURVIVED\n' "$name"
        survived=$((survived + 1))
    else
        printf '%-40s %s\n' "$name" "${why:-$first or a later one: crashed}"
        caught=$((caught + 1))
    fi
done
[ -t 2 ] && printf '\r%60s\r' '' >&2
echo "$caught passed, $survived failed"
[ "$survived" -eq 0 ]
