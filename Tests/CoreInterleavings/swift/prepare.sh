#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
#
# Copies the lock-free Swift core into a folder, as one module with the explorer's atomic operations: see README.md.
#
#   prepare.sh ROOT FOLDER      ROOT: the package whose core it is
#
# The core's code is unchanged, except for what this script replaces: the constants that the explorer chooses smaller, the
# number of stripes, the allocator, and what is private.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$1
folder=$2
mkdir -p "$folder"

replace() { # replace FILE OLD NEW
    grep -qF -- "$2" "$folder/$1" || { echo "$1 has no longer: $2" >&2; exit 1; }
    OLD=$2 NEW=$3 awk '{
        while ((at = index($0, ENVIRON["OLD"])) != 0) {
            printf "%s%s", substr($0, 1, at - 1), ENVIRON["NEW"]
            $0 = substr($0, at + length(ENVIRON["OLD"]))
        }
        print
    }' "$folder/$1" >"$folder/$1.new"
    mv "$folder/$1.new" "$folder/$1"
}

for file in "$root"/Sources/BurstPoolSwiftCores/LockFree/*.swift "$root/Sources/BurstPool/Core/PoolCore.swift"; do
    sed -E -e '/^(public )?import (BurstPool|Synchronization)$/d' -e 's/\b(file)?private (func|let|var|static|struct|init|typealias)/\2/' \
        "$file" >"$folder/$(basename "$file")"
done
# Surroundings.swift has its own.
rm "$folder/ThreadNumber.swift"
replace IdleStripes.swift 'min(2 * max(2, sysconf(Int32(_SC_NPROCESSORS_ONLN))), Self.maximum)' 'Explored.stripes'
replace ZeroedMemory.swift 'calloc(1, sum)' 'explored_calloc(sum)'
replace ZeroedMemory.swift ' free(header' ' explored_free(header'
replace TypeStableTable.swift 'var firstChunkBits: Int { 6 }' 'var firstChunkBits: Int { 1 }'
replace WaiterDeadlines.swift 'var groupSize: Int { 64 }' 'var groupSize: Int { 2 }'
replace WaiterQueue.swift 'alive / 2 + 64' 'alive / 2 + Explored.purgeSlack'
replace WaiterQueue.swift '2 * alive + 1024' '2 * alive + Explored.purgeLimit'
replace LockFreeSwiftCore+Waiting.swift 'capacity: 256' 'capacity: Explored.expiryCapacity'
replace LockFreeSwiftCore.swift 'assertionFailure("the lease has ended, or what it holds is not in the state that this call needs")' 'Explored.noteStaleLease()'
replace TreiberStack.swift 'Atomic<WordPair>' 'AtomicPair'
sed -i '1i import CExplorer' "$folder/ZeroedMemory.swift"
cp "$here"/*.swift "$folder/"
