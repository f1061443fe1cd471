// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import Dispatch
import Synchronization
import Testing

/// One case at a time, because a case blocks two threads.
@Suite(.serialized, .timeLimit(.minutes(5)))
struct ValidationRaceTests {
    /// The validation releases its connection when nobody waits. Before it counts as ended, its caller joins the queue, looks
    /// at another stripe, finds a connection that must be validated too, and counts on the validation.
    @Test(
        "A caller is served that joins the queue while its validation ends, and finds another connection first",
        arguments: CoreKind.cores
    )
    func callerJoinsWhileValidationEnds(kind: CoreKind) async throws {
        let clock = ManualClock()
        try await withPool(
            kind,
            maxSize: 2,
            hooked: true,
            configure: {
                $0.clock = clock
                $0.acquireTimeout = nil
                $0.validateAfterIdle = .seconds(80)
            }
        ) { pool, strategy in
            try await pool.warmUp(2)
            try await MaintenanceStepper(pool, clock).pass(.seconds(91))
            let hasReleased = DispatchSemaphore(value: 0)
            let hasLooked = DispatchSemaphore(value: 0)
            let hooks = strategy.hooks
            hooks.takesFromElsewhere.store(true, ordering: .relaxed)
            hooks.at(.afterPrepareWait) { _ = hasReleased.wait(timeout: .now() + 5) }
            // The first release is the caller's, which returns the connection that must be validated.
            hooks.at(.afterRelease) {
                hooks.at(.afterRelease) {
                    hasReleased.signal()
                    _ = hasLooked.wait(timeout: .now() + 1)
                }
            }
            hooks.at(.afterReturnIdle) {
                DispatchQueue.global().asyncAfter(deadline: .now() + 0.05) { hasLooked.signal() }
            }
            let served = Shared(false)
            let caller = Task {
                try await pool.withConnection { $0.use() }
                served.set(true)
            }
            try await eventually("the caller is served") { served.value }
            try await caller.value
        }
    }
}
