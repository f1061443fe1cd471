#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Counts how many of the known ways to break the core the histories of real threads notice. These are the explorer's
# mutants, each built with pauses inside the calls, and run for some time. What a mutant needs may not happen on real
# threads in that time, or not on this CPU. So it is enough if most are noticed, and which ones differs from run to
# run.
#
#   noticed.sh [least share in percent] [lives]
cd "$(dirname "$0")" || exit 2
least=${1:-70}
lives=${2:-40}
CORE=../../CSources/CBurstPool
BUILD=.build/mutants
mkdir -p "$BUILD"
noticed=0
tried=0
for patch in ../CoreInterleavings/mutants/*.patch; do
    name=$(basename "$patch" .patch)
    rm -rf "$BUILD/core"
    cp -R "$CORE" "$BUILD/core"
    # The small constants make rare paths frequent, as in the explorer.
    if ! patch -s -F 0 -p1 -d "$BUILD/core" <"$patch" >"$BUILD/log" 2>&1 ||
        ! make -s CORE="$BUILD/core" BUILD="$BUILD" WARNINGS=-w \
            CPPFLAGS="-DBP_TABLE_FIRST_CHUNK=2u -DBP_GROUP_SIZE=2 -DBP_PURGE_SLACK=0 -DBP_PURGE_LIMIT=2" \
            "$BUILD/c11-delayed-histories" >"$BUILD/log" 2>&1; then
        printf '%-40s DOES NOT BUILD\n' "$name"
        cat "$BUILD/log"
        exit 1
    fi
    tried=$((tried + 1))
    timeout 300 "$BUILD/c11-delayed-histories" 6 "$lives" 400 1 >"$BUILD/log" 2>&1
    status=$?
    if [ $status -eq 0 ]; then
        printf '%-40s not noticed\n' "$name"
    else
        noticed=$((noticed + 1))
        why=$(sed -n '1s/^[^:]*:[0-9]*: //p' "$BUILD/log" | cut -c 1-110)
        [ $status -eq 124 ] && why="does not end"
        printf '%-40s %s\n' "$name" "${why:-crashed}"
    fi
done
echo "$noticed of $tried noticed"
[ $((noticed * 100)) -ge $((tried * least)) ]
