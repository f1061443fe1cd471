// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import Synchronization

/// A clock that goes on while the process is stopped: its time passes, and no sleeping task wakes before the process continues.
final class StoppableClock: Clock {
    typealias Instant = ManualClock.Instant

    /// The clock of the running process, on which tasks sleep.
    let running = ManualClock()
    private let stoppedFor = Mutex(Duration.zero)

    var now: Instant { running.now.advanced(by: stoppedFor.withLock { $0 }) }
    var minimumResolution: Duration { running.minimumResolution }

    func sleep(until deadline: Instant, tolerance: Duration?) async throws {
        try await running.sleep(until: deadline, tolerance: tolerance)
    }

    /// Stops the process for a time. Afterwards the first request can come before any sleeping task has woken.
    func stop(for duration: Duration) {
        stoppedFor.withLock { $0 += duration }
    }

    /// Wakes the tasks whose moment came while the process was stopped.
    func wakeSleepers() {
        running.advance(
            by: stoppedFor.withLock { stopped in
                defer { stopped = .zero }
                return stopped
            }
        )
    }
}
