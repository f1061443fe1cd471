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
        await core.waitUntilUnused(except: connectionsHeldByTask(), leaseEnded, clock, timeout: timeout)
    }
}

extension _PoolCore {
    /// Waits until nothing of a paused pool is leased. Returns whether that came before the timeout, a cancellation or the end of
    /// the pause.
    ///
    /// - Parameters:
    ///   - held: How many leases the current task holds. It would wait for ever if it waited for them.
    ///   - leaseEnded: Fires when a lease of the paused pool has ended, and when the pause ends.
    func waitUntilUnused(
        except held: Int,
        _ leaseEnded: Broadcast,
        _ clock: PoolClock,
        timeout: Duration?
    ) async -> Bool {
        let deadline = PoolClock.deadline(after: timeout, from: clock.now)
        while true {
            let released = OneShot()
            leaseEnded.add(released)
            let leased = counts.leased
            if leased <= held { return leased == 0 }
            guard isPaused else { return false }
            switch await clock.wait(for: released, until: deadline) {
            case .done, .failed: continue
            case .timedOut, .cancelled: return counts.leased == 0
            }
        }
    }
}
