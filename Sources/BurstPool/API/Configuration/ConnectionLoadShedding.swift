/// Keeps the queue short when more is asked of a pool than it can do: controlled delay.
///
/// A queue that empties now and then only smooths out bursts, and does no harm. One that has not been empty for the whole
/// `interval` is standing: all that it does is to make everybody late. From then on, until it has been empty, those who
/// join wait for `target` at the most, instead of their own timeout; who is not served by then fails with
/// ``ConnectionPoolError/Code/overloaded``. Callers for whom a connection is being opened do not count as a queue.
///
/// That it has been empty for a moment does not mean that the overload is over: a queue that is kept short is empty now
/// and then. So for 16 intervals after it was last standing, it counts as standing again when it has not been empty for
/// `target`; that begins those 16 anew if it had been empty for no longer than an interval.
///
/// Sources: K. Nichols, V. Jacobson, Controlling Queue Delay, ACM Queue 10(5), 2012, for the idea and the two
/// constants; RFC 8289 for the 16 intervals; B. Maurer, Fail at Scale, ACM Queue 13(8), 2015, for this form, which
/// decides when a caller joins.
public struct ConnectionLoadShedding: Sendable, Hashable {
    /// For how long a caller may wait in a standing queue. Default: 5 milliseconds.
    public var target: Duration
    /// For how long a queue must not have been empty to count as standing. Default: 100 milliseconds.
    public var interval: Duration

    public init(target: Duration = .milliseconds(5), interval: Duration = .milliseconds(100)) {
        self.target = target
        self.interval = interval
    }
}
