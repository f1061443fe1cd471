#!/usr/bin/env bash
# Applies each patch in mutants/ to a copy of the Swift pool, builds that with its tests, and requires that one of them fails.
# A patch begins with what is wrong, and with a filter for the tests to try first; after these all are tried. A test that does
# not end is a failure as any other.
#
#   mutants.sh                  all
#   mutants.sh --quick          those whose patch says so
#   mutants.sh PATCH ...
#   mutants.sh --none           the tests alone, all of them, of the pool as it is: they must pass
#
# --report FILE, before the others: also writes what caught each.
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

# Seconds for the tests of one mutant, which take a few.
limit=120
package=$PWD/.build/package
log=$PWD/.build/log
options=(--package-path "$package" -debug-info-format none)
mkdir -p "$package"

# What has not changed keeps its time, and is not built again.
copy() { # copy FOLDER
    (cd ../.. && find "$1" -type f -not -path '*/.build/*') | while read -r file; do
        cmp -s "../../$file" "$package/$file" || { mkdir -p "$package/${file%/*}" && cp "../../$file" "$package/$file"; }
    done
    (cd "$package" && find "$1" -type f) | while read -r file; do
        [ -f "../../$file" ] || rm "$package/$file"
    done
}

folders=(CSources/CConcurrencyKit CSources/CBurstPool Sources/BurstPool Sources/BurstPoolSwiftCores Tests/BurstPoolTests
    Tests/BurstPoolSwiftCoresTests)

build() { swift build --build-tests "${options[@]}" >"$log" 2>&1; }

# Prints what fails first; nothing if all pass.
failure() { # failure FILTER
    swift test --skip-build --disable-xctest "${options[@]}" --filter "$1" >"$log" 2>&1 &
    local run=$! ticks=0 what=
    while kill -0 $run 2>/dev/null; do
        if grep -qE '^✘ .*recorded an issue|Fatal error|Crash:' "$log" || [ $ticks -ge $((limit * 5)) ]; then
            # Interrupted, it ends the tests' process too.
            kill -INT $run 2>/dev/null
            break
        fi
        sleep 0.2
        ticks=$((ticks + 1))
    done
    wait $run
    local status=$?
    what=$(sed -nE 's/^✘ Test (.*) recorded an issue.*/\1/p' "$log" | head -n 1)
    what=${what%% with *argument*}
    if [ -n "$what" ]; then
        echo "$what"
    elif grep -qE 'Fatal error|Crash:|unexpected signal' "$log"; then
        echo "a crash"
    elif [ $ticks -ge $((limit * 5)) ]; then
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
[ -z "$none" ] || exec swift test --skip-build --disable-xctest "${options[@]}"
# A test that fails anyway catches nothing.
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
for patch in "$@"; do
    number=$((number + 1))
    name=$(basename "$patch" .patch)
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
    {
        echo "# What catches each mutant of the Swift pool"
        echo
        echo "Written by \`Tests/PoolMutants/mutants.sh --report\`. The first test that fails; where several would, which is first"
        echo "may differ from run to run."
        echo
        echo "| mutant | what is wrong | caught by |"
        echo "|---|---|---|"
        printf '%s' "$rows"
    } >"$report"
fi
echo "$caught passed, $survived failed"
[ "$survived" -eq 0 ]
