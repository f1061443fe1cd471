// SPDX-License-Identifier: Apache-2.0

/// How long the pool waits before the next attempt to open a connection, after attempts have failed.
///
/// The wait is exponential with full jitter: a random duration between zero and `base × 2ⁿ⁻¹`, at most `cap`, where n is the
/// number of failures since a connection was last opened. The random duration keeps many pools from retrying at the same
/// moments. Attempts that run at the same time and fail count as one failure.
///
/// Source: M. Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015.
public struct ConnectionBackoff: Sendable, Hashable {
    /// The upper bound of the first wait. Default: 100 milliseconds.
    public var base: Duration

    /// The upper bound of all waits. Default: 5 seconds.
    ///
    /// Callers may wait for this long after the server is back. If the value is too small, the pool makes many attempts while
    /// the server is down.
    public var cap: Duration

    public init(base: Duration = .milliseconds(100), cap: Duration = .seconds(5)) {
        self.base = base
        self.cap = cap
    }

    /// Returns how long to wait, in nanoseconds, after `failures` failures in a row. `failures` is at least 1.
    func delay(afterFailures failures: Int) -> UInt64 {
        let bound = min(cap.nanoseconds, base.nanoseconds.multipliedSaturating(byPowerOfTwo: failures - 1))
        return bound == 0 ? 0 : UInt64.random(in: 0...bound)
    }
}

extension UInt64 {
    fileprivate func multipliedSaturating(byPowerOfTwo exponent: Int) -> UInt64 {
        exponent < leadingZeroBitCount ? self << exponent : (self == 0 ? 0 : .max)
    }
}
