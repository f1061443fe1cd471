// SPDX-License-Identifier: Apache-2.0

extension SharedPoolEngine {
    /// Hands out no leases, and opens no connections, until ``resume()``.
    @usableFromInline
    func pause() {
        core.pause()
        connections.pause()
    }

    @usableFromInline
    func resume() {
        core.resume()
        connections.resume()
        leaseEnded.fire()
        // The leases of a connection that was checked out during the pause could not be made.
        serveWaiters(growing: true)
        reconcile()
    }

    @usableFromInline
    var isPaused: Bool { core.isPaused }

    /// Waits until no lease of a paused pool is in use. Returns whether that came before the timeout, a cancellation or the end
    /// of the pause.
    @usableFromInline
    func waitUntilUnused(timeout: Duration?) async -> Bool {
        await core.waitUntilUnused(except: leasesHeldByTask().count, leaseEnded, clock, timeout: timeout)
    }
}
