// SPDX-License-Identifier: Apache-2.0

// What operators do with a shared pool that is running.

extension SharedConnectionPool {
    /// Changes the limits, which count connections.
    ///
    /// - Throws: ``ConnectionPoolError`` with `.invalidConfiguration` or `.poolShutDown`. The limits are unchanged then.
    public func resize(maxSize: Int, burstLimit: Int? = nil) throws(ConnectionPoolError) {
        try engine.resize(maxSize: maxSize, burstLimit: burstLimit)
    }

    /// Opens connections, and returns when so many are open. See ``ConnectionPool/prewarm(_:)``.
    public func prewarm(_ count: Int? = nil) async throws {
        try await engine.prewarm(count)
    }

    /// Replaces all connections that are open or opening now, as after a failover or a change of credentials.
    ///
    /// Without a period, no caller that comes after this call has returned gets a lease of one of them. Leases that exist
    /// continue, and each connection is closed when the last lease of it has ended. With a period, the connections are replaced
    /// one after the other.
    ///
    /// - Parameter period: How long the replacement may take; `nil` means at once.
    public func evictAll(over period: Duration? = nil) {
        engine.evictAll(over: period)
    }

    // MARK: Pausing

    /// Stops handing out leases and opening new connections, until ``resume()``.
    ///
    /// Callers wait until their timeout, and so does ``prewarm(_:)``. With ``ConnectionPoolConfiguration/loadShedding``,
    /// callers may be rejected. Leases in use stay in use; ``waitUntilUnused(timeout:)`` waits for them. Idempotent. A shutdown
    /// ends the pause.
    public func pause() {
        engine.pause()
    }

    /// Ends a pause. Waiters are served, the oldest first. Idempotent.
    public func resume() {
        engine.resume()
    }

    /// Whether the pool is between ``pause()`` and ``resume()``.
    public var isPaused: Bool { engine.isPaused }

    /// Waits until no lease of a paused pool is in use. In a pool that is not paused, this returns at once.
    ///
    /// Inside a body of `withConnection` this does not wait for the leases of the calling task, and returns `false`.
    ///
    /// - Parameter timeout: How long to wait; `nil` for as long as it takes. Cancelling the task and ending the pause end the
    ///   wait.
    /// - Returns: Whether no lease is in use.
    @discardableResult
    public func waitUntilUnused(timeout: Duration? = nil) async -> Bool {
        await engine.waitUntilUnused(timeout: timeout)
    }
}
