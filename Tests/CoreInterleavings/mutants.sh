#!/bin/sh
# Applies each patch in mutants/ to a copy of the core, builds the explorer with it, and requires that a check fails.
# A patch begins with a line that says what is wrong, and a line with the scenario to try first. The saved schedules
# are replayed before that scenario, and afterwards all scenarios are tried. JOBS sets how many run at the same time.
# The default is the number of processors.
#
#   mutants.sh [seconds for all scenarios] [patch ...]
cd "$(dirname "$0")" || exit 2
CORE=../../CSources/CBurstPool
CC=${CC:-clang}
export CC

build() { # build FOLDER, which has the core in it
    make -s BUILD="$1" CORE="$1/core" HARNESS=.build CFLAGS="-std=gnu11 -O1" "$1/explore"
}

# Runs one mutant in its own folder, and prints what caught it.
if [ "${1:-}" = --one ]; then
    seconds=$2
    patch=$3
    name=$(basename "$patch" .patch)
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
    timeout 120 "$build/explore" --stop --regressions regressions --first "$first" --seconds "$seconds" \
        >"$build/log" 2>/dev/null
    status=$?
    why=$(sed -n 's/^FAILED //p' "$build/log" | head -n 1)
    if [ $status -eq 0 ] || [ $status -eq 124 ]; then
        printf '%-40s SURVIVED\n' "$name"
    else
        printf '%-40s %s\n' "$name" "${why:-$first or a later one: crashed}"
    fi
    exit
fi

seconds=${1:-30}
[ $# -gt 0 ] && shift
[ $# -gt 0 ] || set -- mutants/*.patch
# The build without a patch. Objects that are not built from the core are the same for all mutants.
rm -rf .build/mutants
mkdir -p .build/mutants/none
cp -R "$CORE" .build/mutants/none/core
build .build/mutants/none || exit
results=$(mktemp)
trap 'rm -f "$results"' EXIT
printf '%s\n' "$@" | xargs -P "${JOBS:-$(getconf _NPROCESSORS_ONLN)}" -I '{}' "./$(basename "$0")" --one "$seconds" '{}' | tee "$results"
survived=$(grep -cE ' (DOES NOT APPLY|DOES NOT BUILD|SURVIVED)$' "$results")
caught=$(($(wc -l <"$results") - survived))
# Counts mutants without a result as survivors.
survived=$(($# - caught))
echo "$caught passed, $survived failed"
[ "$survived" -eq 0 ]
