// SPDX-License-Identifier: Apache-2.0

import Synchronization

extension _PoolEngine {
    /// Hands out no connections, and opens none, until ``resume()``.
    public func pause() {
        core.pause()
    }

    public func resume() {
        core.resume()
        leaseEnded.fire()
        reconcile()
        refill()
    }

    public var isPaused: Bool { core.isPaused }

    /// Waits until no connection of a paused pool is in use. Returns whether that came before the timeout, a cancellation or
    /// the end of the pause.
    public func waitUntilUnused(timeout: Duration?) async -> Bool {
        let deadline = PoolClock.deadline(after: timeout, from: clock.now)
        // A task that waited for its own connections would wait for ever.
        let held = connectionsHeldByTask()
        while true {
            let released = OneShot()
            leaseEnded.add(released)
            let leased = core.counts.leased
            if leased <= held { return leased == 0 }
            guard core.isPaused else { return false }
            switch await clock.wait(for: released, until: deadline) {
            case .done, .failed: continue
            case .timedOut, .cancelled: return core.counts.leased == 0
            }
        }
    }
}
