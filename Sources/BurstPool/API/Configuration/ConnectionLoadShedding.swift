// SPDX-License-Identifier: Apache-2.0

/// Keeps the wait queue short while a pool is overloaded, by rejecting callers early: controlled delay.
///
/// A queue that is empty now and then absorbs bursts and does no harm. A queue that has not been empty for the whole
/// ``interval`` is standing, and only makes every caller late. From then on, until the queue has been empty, callers that join
/// wait for at most ``target`` instead of their own timeout. A caller that is not served by then fails with
/// ``ConnectionPoolError/Code/overloaded``. Callers for whom a connection is being opened do not count as a queue.
///
/// A queue that is kept short is also empty now and then, although the pool is still overloaded. So for 16 intervals after
/// the queue was last standing, it counts as standing again when it has not been empty for ``target``. Those 16 intervals
/// begin anew if the queue had been empty for at most one interval.
///
/// Sources: K. Nichols, V. Jacobson, Controlling Queue Delay, ACM Queue 10(5), 2012, for the idea and the two constants;
/// RFC 8289 for the 16 intervals; B. Maurer, Fail at Scale, ACM Queue 13(8), 2015, for deciding when a caller joins.
public struct ConnectionLoadShedding: Sendable, Hashable {
    /// How long a caller may wait in a standing queue. Default: 5 milliseconds. Shorter than ``interval``.
    public var target: Duration

    /// How long a queue must not have been empty to count as standing. Default: 100 milliseconds.
    public var interval: Duration

    public init(target: Duration = .milliseconds(5), interval: Duration = .milliseconds(100)) {
        self.target = target
        self.interval = interval
    }
}
