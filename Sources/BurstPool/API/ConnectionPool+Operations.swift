// SPDX-License-Identifier: Apache-2.0

// What operators need while a pool is running.

extension ConnectionPool {
    /// Changes the limits.
    ///
    /// Waiters get the permits that this frees. Idle connections that are excess under the new limits are closed in the
    /// background, and those in use when they are released. If callers wait, they still get connections above the new
    /// `maxSize`, and none above the new `burstLimit`.
    ///
    /// - Throws: ``ConnectionPoolError`` with `.invalidConfiguration` or `.poolShutDown`. The limits are unchanged then.
    public func resize(maxSize: Int, burstLimit: Int? = nil) throws(ConnectionPoolError) {
        try engine.resize(maxSize: maxSize, burstLimit: burstLimit)
    }

    /// Opens connections, and returns when so many are open.
    ///
    /// - Parameter count: How many connections, including those in use; at most `maxSize`. Default:
    ///   ``ConnectionPoolConfiguration/minimumIdle``.
    /// - Throws: The error that kept a connection from opening; with ``ConnectionPoolConfiguration/connectRetry`` only a
    ///   permanent one, because other attempts are repeated. ``ConnectionPoolError`` with `.invalidConfiguration` or
    ///   `.poolShutDown`. `CancellationError`.
    public func prewarm(_ count: Int? = nil) async throws {
        try await engine.prewarm(count)
    }

    /// Replaces all connections that are open or opening now, as after a failover or a change of credentials.
    ///
    /// Without a period, no caller that comes after this call has returned gets one of them: idle connections are closed now,
    /// and those in use when they are released. With a period, they are replaced one after the other, at even intervals, so
    /// that the server does not get all new connections at once.
    ///
    /// - Parameter period: How long the replacement may take; `nil` means at once.
    public func evictAll(over period: Duration? = nil) {
        engine.evictAll(over: period)
    }

    /// Stops handing out connections and opening new ones, until ``resume()``.
    ///
    /// Callers wait until their timeout, and so does ``prewarm(_:)``. With ``ConnectionPoolConfiguration/loadShedding``,
    /// callers may be rejected. Connections in use stay in use; ``waitUntilUnused(timeout:)`` waits for them. Idempotent. A
    /// shutdown ends the pause.
    public func pause() {
        engine.pause()
    }

    /// Ends a pause. Waiters are served, the oldest first. Idempotent.
    public func resume() {
        engine.resume()
    }

    /// Whether the pool is between ``pause()`` and ``resume()``.
    public var isPaused: Bool { engine.isPaused }

    /// Waits until no connection of a paused pool is in use. In a pool that is not paused, this returns at once.
    ///
    /// - Parameter timeout: How long to wait; `nil` for as long as it takes. Cancelling the task and ending the pause end the
    ///   wait.
    /// - Returns: Whether no connection is in use.
    @discardableResult
    public func waitUntilUnused(timeout: Duration? = nil) async -> Bool {
        await engine.waitUntilUnused(timeout: timeout)
    }
}
