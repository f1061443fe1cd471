/// How long to wait before the next attempt to open a connection, after some have failed.
///
/// Exponential with full jitter: a random duration between nothing and `base × 2ⁿ`, `cap` at the most, where n counts the
/// failures since a connection was last opened. The randomness keeps many pools from knocking at the same moments.
///
/// Source: M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
public struct ConnectionBackoff: Sendable, Hashable {
    /// The upper bound of the first wait. Default: 100 milliseconds.
    public var base: Duration
    /// The upper bound of all waits. Default: 5 seconds.
    public var cap: Duration

    public init(base: Duration = .milliseconds(100), cap: Duration = .seconds(5)) {
        self.base = base
        self.cap = cap
    }

    /// Nanoseconds, after so many failures in a row, 1 or more.
    func delay(afterFailures failures: Int) -> UInt64 {
        let bound = min(cap.nanoseconds, base.nanoseconds.multipliedSaturating(byPowerOfTwo: failures - 1))
        return bound == 0 ? 0 : UInt64.random(in: 0...bound)
    }
}

extension UInt64 {
    func multipliedSaturating(byPowerOfTwo exponent: Int) -> UInt64 {
        exponent < leadingZeroBitCount ? self << exponent : (self == 0 ? 0 : .max)
    }
}
