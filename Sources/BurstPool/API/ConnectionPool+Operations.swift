// What those who run a server ask of a pool at run time.

extension ConnectionPool {
    /// Opens connections, and returns when so many are open.
    ///
    /// - Parameter count: How many, those in use included: `maxSize` at the most. Default:
    ///   ``ConnectionPoolConfiguration/minimumIdle``.
    /// - Throws: The error that kept one from opening; with ``ConnectionPoolConfiguration/connectRetry`` only a permanent one,
    ///   else it is tried again. ``ConnectionPoolError`` with `.invalidConfiguration` or `.poolShutDown`.
    ///   `CancellationError`.
    public func prewarm(_ count: Int? = nil) async throws {
        try await engine.prewarm(count)
    }

    /// Has all connections replaced that are open or being opened now, as after a failover or a change of passwords.
    ///
    /// At once: no caller that comes after this call has returned gets one of them; those that are idle are closed now, those
    /// in use when they come back. Over a period: one after the other, evenly, so that the server is not stormed.
    ///
    /// - Parameter period: How long it may take; `nil`: at once.
    public func evictAll(over period: Duration? = nil) {
        engine.evictAll(over: period)
    }

    /// Stops handing out connections, and opening any, until ``resume()``. Callers wait, as long as their time lasts, and
    /// ``prewarm(_:)`` does; ``ConnectionPoolConfiguration/loadShedding`` may turn callers away. Connections in use stay so,
    /// one that is just being handed over included. Idempotent. A shutdown ends it.
    ///
    /// The pool is at rest when ``ConnectionPoolStatistics/inUse`` of its ``statistics`` is 0.
    public func pause() {
        engine.pause()
    }

    /// Goes on after ``pause()``. Callers that wait are served, oldest first. Idempotent.
    public func resume() {
        engine.resume()
    }

    /// Whether it is between ``pause()`` and ``resume()``.
    public var isPaused: Bool { engine.isPaused }

    /// Returns when a connection can be had and ``ConnectionStrategy/validateConnection(_:)`` says that it works: for a
    /// server's readiness, or to wait for a database that starts. Tries again, with growing pauses of up to a second, until
    /// the time is up.
    ///
    /// - Parameter timeout: For how long to try; `nil`: for ever.
    /// - Throws: The latest error when the time is up; at once, what the strategy calls permanent, `.poolShutDown`, and
    ///   `CancellationError`.
    public func waitUntilHealthy(timeout: Duration? = .seconds(30)) async throws {
        try await engine.waitUntilHealthy(timeout: timeout)
    }

    /// Shuts the pool down at once: as ``shutdown(drainFor:)``, but what is being opened is cancelled, and what is in use is
    /// aborted, if the strategy has a way to do so (``ConnectionStrategy/abortHandle(for:)``); who uses it gets an error
    /// from it then. Idempotent, also after a shutdown whose time to drain was up.
    ///
    /// - Parameter timeout: For how long to wait for the connections to be gone; `nil`: until they are.
    public func abort(timeout: Duration? = .seconds(5)) async {
        engine.abort()
        await engine.shutdown(drainFor: timeout)
    }
}
