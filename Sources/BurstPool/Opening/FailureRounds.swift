// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Counts failures of the server rather than of attempts: attempts that run at the same time fail as one.
///
/// Every attempt remembers the round in which it began. The first attempt of a round that fails ends the round and counts;
/// the others of the same round do not. So a short outage is one failure, however many callers were waiting.
struct FailureRounds: ~Copyable, Sendable {
    struct Round: Equatable, Sendable {
        fileprivate let number: UInt32
    }

    /// The number of the present round in the upper half, the failures since the last success in the lower half.
    private let word = Atomic<UInt64>(0)

    var current: Round { Round(number: UInt32(truncatingIfNeeded: word.load(ordering: .sequentiallyConsistent) >> 32)) }

    /// Notes that an attempt has failed. Returns the number of failures in a row, or `nil` if the attempt does not count.
    func noteFailure(in round: Round) -> Int? {
        var found = word.load(ordering: .sequentiallyConsistent)
        while UInt32(truncatingIfNeeded: found >> 32) == round.number {
            let failures = min(UInt32(truncatingIfNeeded: found), .max - 1) + 1
            let (exchanged, original) = word.compareExchange(
                expected: found,
                desired: UInt64(round.number &+ 1) << 32 | UInt64(failures),
                ordering: .sequentiallyConsistent
            )
            if exchanged { return Int(failures) }
            found = original
        }
        return nil
    }

    /// Notes that an attempt has succeeded: the failures are forgotten.
    func noteSuccess() {
        var found = word.load(ordering: .sequentiallyConsistent)
        // A pool whose attempts succeed writes nothing here.
        while UInt32(truncatingIfNeeded: found) != 0 {
            let (exchanged, original) = word.compareExchange(
                expected: found,
                desired: ((found >> 32) &+ 1) << 32,
                ordering: .sequentiallyConsistent
            )
            if exchanged { return }
            found = original
        }
    }
}
