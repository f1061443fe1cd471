// SPDX-License-Identifier: Apache-2.0

/// Stops a pool from opening connections while its server is down.
///
/// When attempts have failed often enough, the breaker opens, and the pool opens no connection for ``openFor``. During this
/// time, a caller that finds no idle connection waits until a connection in use is released. If the pool has no connection
/// that could serve the caller, the caller fails at once with ``ConnectionPoolError/Code/circuitOpen``.
///
/// After ``openFor`` the pool makes one attempt, while the breaker is half open. If the attempt succeeds the breaker closes,
/// and if it fails the breaker opens again.
///
/// Attempts that run at the same time and fail count as one failure, because the breaker counts how often the server has failed
/// and not how many callers have noticed. In a pool without a ``ConnectionPoolConfiguration/connectTimeout``, the deciding
/// attempt may take as long as ``openFor``.
///
/// Source: M. Nygard, Release It!, 2007.
public struct ConnectionCircuitBreaker: Sendable, Hashable {
    /// The number of failures in a row that open the breaker. At least 1. Default: 5. Ignored if ``failingFor`` is set.
    ///
    /// If the value is too small, the breaker opens during short interruptions. If it is too large, the breaker opens only
    /// after a long outage. Without ``ConnectionPoolConfiguration/connectRetry`` there is no pause between attempts, so a
    /// server that refuses connections for some milliseconds can open the breaker. Then set `connectRetry` too, or use
    /// ``failingFor``.
    public var failureThreshold: Int

    /// If this is set, the breaker opens when attempts have failed for this long without a success, however many attempts
    /// there were. Default: `nil`, which means that ``failureThreshold`` decides.
    public var failingFor: Duration?

    /// How long the breaker stays open before an attempt is made. Default: 15 seconds.
    ///
    /// Callers may wait for this long after the server is back. If the value is too small, the pool makes more attempts while
    /// the server is down.
    public var openFor: Duration

    /// Creates a breaker that opens after a number of failures in a row.
    public init(failureThreshold: Int = 5, openFor: Duration = .seconds(15)) {
        self.failureThreshold = failureThreshold
        self.openFor = openFor
    }

    /// Creates a breaker that opens when attempts have failed for some time without a success.
    public init(failingFor: Duration, openFor: Duration = .seconds(15)) {
        failureThreshold = 1
        self.failingFor = failingFor
        self.openFor = openFor
    }

    /// The state of a circuit breaker.
    public enum State: String, Sendable, Hashable {
        /// Connections are opened as they are needed.
        case closed
        /// No connection is opened.
        case open
        /// One attempt is running, and its outcome decides.
        case halfOpen
    }
}
