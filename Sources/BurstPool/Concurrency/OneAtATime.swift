// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Runs a piece of work on one thread at a time, without making any thread wait.
///
/// A thread that comes while another one runs the work leaves at once, and the other thread runs the work once more. A
/// thread that is stopped in the middle of the work therefore delays that work, and nothing else.
struct OneAtATime: ~Copyable, Sendable {
    private let requests = Atomic(0)

    /// Whether a thread runs the work.
    var isRunning: Bool { requests.load(ordering: .acquiring) != 0 }

    func perform(_ work: () -> Void) {
        // Acquires and releases: what the running thread wrote is visible to the next one that runs, and what a thread
        // wrote before it left is visible to the thread that runs the work for it.
        guard requests.add(1, ordering: .acquiringAndReleasing).oldValue == 0 else { return }
        var seen: Int
        repeat {
            seen = requests.load(ordering: .acquiring)
            work()
        } while requests.subtract(seen, ordering: .acquiringAndReleasing).newValue > 0
    }
}
