/// Stops a pool from trying to open connections where that fails all the time.
///
/// After `failureThreshold` failures in a row the breaker opens: no connection is opened for `openFor`. Callers that find
/// nothing idle wait for connections that are in use; where there are none at all, they fail at once, with
/// ``ConnectionPoolError/Code/circuitOpen``. Then it is half open: one attempt is made. If it succeeds the breaker closes,
/// else it opens again.
///
/// Source: M. Nygard, Release It!, 2007.
public struct ConnectionCircuitBreaker: Sendable, Hashable {
    /// Failures in a row, at least 1, that open the breaker. Default: 5.
    public var failureThreshold: Int
    /// For how long no attempt is made. Default: 15 seconds.
    public var openFor: Duration

    public init(failureThreshold: Int = 5, openFor: Duration = .seconds(15)) {
        self.failureThreshold = failureThreshold
        self.openFor = openFor
    }

    /// What a breaker does.
    public enum State: String, Sendable, Hashable {
        /// Connections are opened as they are wanted.
        case closed
        /// None is opened.
        case open
        /// One attempt is under way, whose outcome decides.
        case halfOpen
    }
}
