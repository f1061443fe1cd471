// SPDX-License-Identifier: Apache-2.0

/// What an error that the body of `withConnection` threw says about the connection it used.
///
/// ``ConnectionStrategy/connectionVerdict(after:)`` returns it.
public enum ConnectionVerdict: Sendable, Hashable {
    /// The connection works. It goes back to the pool.
    case keep
    /// The connection no longer works. The pool closes it.
    case discard
    /// The connection works but leads to the wrong place, as after a failover, and so do all others that are open now.
    /// The pool closes this one and replaces all the others, as ``ConnectionPool/evictAll(over:)`` does.
    ///
    /// Verdicts about connections that were opened before such an eviction do not cause another one, so a hundred callers
    /// that see the same failover evict once.
    case evictAll
}
