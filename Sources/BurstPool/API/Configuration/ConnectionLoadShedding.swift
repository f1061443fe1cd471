// SPDX-License-Identifier: Apache-2.0

/// Keeps the wait queue short while a pool is overloaded, by rejecting callers early: controlled delay.
///
/// A queue that is empty now and then absorbs bursts and does no harm. A queue that has not been empty for ``interval`` is a
/// standing queue: it only makes every caller late. From then on until the queue is empty again, a caller that joins it waits
/// for at most ``target`` instead of its own timeout. If the caller has not been served by then, it fails with
/// ``ConnectionPoolError/Code/overloaded``. Callers for whom a connection is being opened do not count as part of the queue.
///
/// A queue that is kept short in this way is empty now and then, although the pool is still overloaded. So the pool remembers
/// for 16 intervals that the queue was standing. During this time, the queue is standing again as soon as it has not been
/// empty for ``target``. The 16 intervals then begin anew, if the queue was last empty no later than one ``interval`` after it
/// was last standing, or if it has not been empty for ``interval``.
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
