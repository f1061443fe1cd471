#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Applies each patch in mutants/ to a copy of the core, and requires that a limit is exceeded.
cd "$(dirname "$0")" || exit 2
CORE=../../../CSources/CBurstPool
failed=0
passed=0
for patch in mutants/*.patch; do
    name=$(basename "$patch" .patch)
    build=.build/mutants/$name
    rm -rf "$build"
    mkdir -p "$build"
    cp -Rp "$CORE" "$build/core"
    # Objects that the patch does not change are not built again.
    cp -p .build/*.o "$build"
    if ! patch -s -F 0 -p1 -d "$build/core" <"$patch" >"$build/log" 2>&1; then
        why="DOES NOT APPLY"
    elif ! make -s BUILD="$build" CORE="$build/core" "$build/transfers" >"$build/log" 2>&1; then
        why="DOES NOT BUILD"
    else
        timeout 60 "$build/transfers" >"$build/log" 2>&1
        why=$(sed -n 's/^FAILED //p' "$build/log" | head -n 1)
    fi
    case $why in
    "" | DOES\ NOT*)
        failed=$((failed + 1))
        why=${why:-SURVIVED}
        ;;
    *) passed=$((passed + 1)) ;;
    esac
    printf '%-32s %s\n' "$name" "$why"
    rm -rf "$build"
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
