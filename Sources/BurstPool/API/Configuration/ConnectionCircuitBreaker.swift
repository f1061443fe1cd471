// SPDX-License-Identifier: Apache-2.0

/// Stops a pool from opening connections while its server is down.
///
/// When attempts have failed often enough, the breaker opens, and no connection is opened for ``openFor``. Callers that
/// find no idle connection wait for one in use to be released. If no connection can serve them, they fail at once with
/// ``ConnectionPoolError/Code/circuitOpen``. Then the breaker is half open, and one attempt decides: if it succeeds the
/// breaker closes, and if it fails the breaker opens again.
///
/// Attempts that run at the same time count as one: what is counted is whether the server fails, not how many callers wait.
/// In a pool without a ``ConnectionPoolConfiguration/connectTimeout``, the deciding attempt may take as long as ``openFor``.
///
/// Source: M. Nygard, Release It!, 2007.
public struct ConnectionCircuitBreaker: Sendable, Hashable {
    /// The number of failures in a row that open the breaker. At least 1. Default: 5. Ignored if ``failingFor`` is set.
    ///
    /// A value that is too small opens the breaker during short interruptions. One that is too large opens it only after a
    /// long outage. Without ``ConnectionPoolConfiguration/connectRetry`` nothing paces the attempts, so that a server which
    /// refuses connections for some milliseconds can open the breaker: set both, or use ``failingFor``.
    public var failureThreshold: Int

    /// If this is set, the breaker opens when attempts have failed for so long without a success, however many they were.
    /// Default: `nil`, which means that ``failureThreshold`` decides.
    public var failingFor: Duration?

    /// How long the breaker stays open before an attempt is made. Default: 15 seconds.
    ///
    /// After the server is back, callers may wait for this long. A value that is too small lets through more attempts while
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
