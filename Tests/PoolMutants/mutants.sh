#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Checks that the tests notice faults: applies each patch in mutants/ to a copy of the Swift pool, builds the copy with its
# tests, and requires that a test fails.
#
# The first line of a patch says what is wrong. Then come a line "filter: ...", which names the tests to run first, and
# perhaps "quick: yes". If the tests of the filter pass, all tests are run. A test that does not end counts as a failure: a
# hang is noticed when the process of the tests has used no processor time for some seconds, and no thread of it wants any.
#
#   mutants.sh                  runs all mutants
#   mutants.sh --quick          runs the mutants whose patch says "quick: yes"
#   mutants.sh PATCH ...        runs these mutants
#   mutants.sh --none           runs all tests of the unchanged pool, which must pass
#
# With --report FILE before the other arguments, the script also writes which test has caught which mutant. Rows of mutants that
# were not run stay in the file, unless the mutant is gone.
set -uo pipefail
cd "$(dirname "$0")" || exit 2

report= none=
if [ "${1:-}" = --report ]; then
    report=$2
    shift 2
fi
if [ "${1:-}" = --none ]; then
    none=yes
elif [ "${1:-}" = --quick ]; then
    mapfile -t quick < <(grep -l '^quick: yes' mutants/*.patch)
    set -- "${quick[@]}"
elif [ $# -eq 0 ]; then
    set -- mutants/*.patch
fi

# The time limit for the tests of one mutant, in seconds. They usually take a second. And for how long the tests may stand
# still: all of them use virtual time, so that they do not sleep for long.
limit=120
patience=8
package=$PWD/.build/package
log=$PWD/.build/log
options=(--package-path "$package" -debug-info-format none)
mkdir -p "$package"

# Copies only files that have changed, so that the build system does not build the others again.
copy() { # copy FOLDER
    (cd ../.. && find "$1" -type f -not -path '*/.build/*') | while read -r file; do
        cmp -s "../../$file" "$package/$file" || { mkdir -p "$package/${file%/*}" && cp "../../$file" "$package/$file"; }
    done
    (cd "$package" && find "$1" -type f) | while read -r file; do
        [ -f "../../$file" ] || rm "$package/$file"
    done
}

folders=(CSources/CConcurrencyKit CSources/CBurstPool CSources/CRunningTask Sources/BurstPool Sources/BurstPoolSwiftCores Sources/BurstPoolTesting
    Tests/BurstPoolTests Tests/BurstPoolSwiftCoresTests)

build() { swift build --build-tests "${options[@]}" >"$log" 2>&1; }

# Prints the processor time that a process has used, and how many of its threads want to run. Only Linux tells.
activity() { # activity PROCESS
    [ -r "/proc/$1/stat" ] || { echo "$SECONDS"; return; }
    cat /proc/"$1"/task/*/stat 2>/dev/null | awk '{ sub(/^.*\) /, ""); used += $12 + $13; wants += $1 == "R" || $1 == "D" } END { print used, wants }'
}

# Prints the program of the tests. Not every system has one: elsewhere it is a bundle, which only `swift test` can run.
program() { find "$package/.build/debug/" -maxdepth 1 -name '*PackageTests.xctest' -type f; }

run_tests() { # run_tests FILTER
    # Without swift test, which reads the package first.
    local tests
    tests=$(program)
    if [ -n "$tests" ]; then
        NO_COLOR=1 exec "$tests" --testing-library swift-testing --filter "$1"
    else
        exec swift test --skip-build --disable-xctest "${options[@]}" --filter "$1"
    fi
}

# Prints the name of the first test that fails, or nothing if all pass.
failure() { # failure FILTER
    (run_tests "$1") >"$log" 2>&1 &
    local run=$! ticks=0 idle=0 before= now what=
    while kill -0 $run 2>/dev/null; do
        if grep -qE '✘ .*recorded an issue|Fatal error|Crash:' "$log" || [ $ticks -ge $((limit * 5)) ] ||
            [ $idle -ge $((patience * 5)) ]; then
            # `swift test` ends the process of the tests when it gets an interrupt. The program itself does not end: a script
            # makes the programs ignore interrupts that it runs in the background.
            kill -s "$([ -n "$(program)" ] && echo KILL || echo INT)" $run 2>/dev/null
            break
        fi
        sleep 0.2
        ticks=$((ticks + 1))
        now=$(activity $run)
        # A thread that wants to run may be waiting for a processor: that is no hang.
        [ "$now" = "$before" ] && [ "${now##* }" = 0 ] && idle=$((idle + 1)) || idle=0
        before=$now
    done
    wait $run 2>/dev/null
    local status=$?
    what=$(sed -nE 's/^.*✘.* Test (.*) recorded an issue.*/\1/p' "$log" | head -n 1)
    what=${what%% with *argument*}
    if [ -n "$what" ]; then
        echo "$what"
    elif grep -qE 'Fatal error|Crash:|unexpected signal' "$log"; then
        echo "a crash"
    elif [ $ticks -ge $((limit * 5)) ] || [ $idle -ge $((patience * 5)) ]; then
        echo "a hang"
    elif [ $status -ne 0 ]; then
        echo "exit status $status"
    fi
}

for folder in "${folders[@]}"; do copy "$folder"; done
cmp -s Package.swift "$package/Package.swift" || cp Package.swift "$package/"
if ! build; then
    cat "$log"
    exit 1
fi
[ -z "$none" ] || run_tests .
# A test that fails without a mutant proves nothing.
filters=$(sed -n 's/^filter: //p' "$@" | tr '|' '\n' | sort -u | paste -sd '|')
unmutated=$(limit=600 && failure "$filters")
if [ -n "$unmutated" ]; then
    echo "without any mutant: $unmutated"
    exit 1
fi

caught=0
survived=0
number=0
rows=
declare -A has_run
for patch in "$@"; do
    number=$((number + 1))
    name=$(basename "$patch" .patch)
    has_run[$name]=yes
    filter=$(sed -n 's/^filter: //p' "$patch")
    [ -t 2 ] && printf '\r%d of %d: %-50s' "$number" $# "$name" >&2
    result=
    if ! patch -s -F 0 -p1 -d "$package" <"$patch" >"$log" 2>&1; then
        printf '%-40s DOES NOT APPLY\n' "$name"
        for folder in "${folders[@]}"; do copy "$folder"; done
        survived=$((survived + 1))
        continue
    fi
    if ! build; then
        result="DOES NOT BUILD"
        grep -E 'error:' "$log" | head -n 3
    else
        by=$(failure "$filter")
        [ -n "$by" ] || by=$(failure '^BurstPoolTests|^BurstPoolSwiftCoresTests')
        [ -n "$by" ] || result=SURVIVED
    fi
    patch -s -R -F 0 -p1 -d "$package" <"$patch"
    if [ -n "$result" ]; then
        printf '%-40s %s\n' "$name" "$result"
        survived=$((survived + 1))
    else
        printf '%-40s %s\n' "$name" "$by"
        caught=$((caught + 1))
        rows+="| \`$name\` | $(head -n 1 "$patch") | $by |"$'\n'
    fi
done
[ -t 2 ] && printf '\r%60s\r' '' >&2
if [ -n "$report" ]; then
    touch "$report"
    while IFS= read -r row; do
        name=${row#*\`}
        name=${name%%\`*}
        [ -n "${has_run[$name]:-}" ] || [ ! -f "mutants/$name.patch" ] || rows+=$row$'\n'
    done < <(grep '^| `' "$report")
    {
        echo "# What catches each mutant of the Swift pool"
        echo
        echo "Written by \`Tests/PoolMutants/mutants.sh --report\`. The last column names the test that fails first."
        echo "Where several tests would fail, the first one may differ from run to run."
        echo
        echo "| mutant | what is wrong | caught by |"
        echo "|---|---|---|"
        printf '%s' "$rows" | LC_ALL=C sort
    } >"$report"
fi
echo "$caught passed, $survived failed"
[ "$survived" -eq 0 ]
