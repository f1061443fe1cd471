import CBurstPool

/// How a pool behaves.
///
/// A value to be filled in and given to ``ConnectionPool/init(strategy:configuration:)``, which refuses what contradicts
/// itself with ``ConnectionPoolError/Code/invalidConfiguration``.
public struct ConnectionPoolConfiguration: Sendable {
    /// The greatest ``maxSize`` and ``burstLimit``: 1,073,741,823.
    public static let largestSize = Int(BP_MAX_SIZE)

    /// The soft limit: how many connections the pool keeps. At least 1.
    ///
    /// While there are more, a connection that comes back is closed, unless somebody waits for it.
    public var maxSize: Int

    /// The hard limit: how many connections there may be at any time. At least ``maxSize``. Default: `nil`, which means
    /// that the soft limit is hard.
    public var burstLimit: Int?

    /// For how long a caller waits at the most, where it does not say so itself. Default: 30 seconds, as most pools in the
    /// field have it. `nil` waits for ever. Zero and less: never wait, take what is idle or throw.
    public var acquireTimeout: Duration? = .seconds(30)

    /// What becomes of errors that ``ConnectionStrategy/closeConnection(_:)`` throws.
    public enum CloseErrors: Sendable, Hashable {
        /// They reach the caller of `withConnection` whose return led to the close, unless its body threw, whose error
        /// then wins. Where there is no such caller, they go to the observer.
        case thrown
        /// They go to the observer, always.
        case reported
    }

    /// What becomes of errors in closing. Default: ``CloseErrors/thrown``, as in the package `asyncio-connection-pool`.
    public var closeErrors: CloseErrors = .thrown

    /// Is told of what no caller can be told of. Default: `nil`, nobody.
    public var observer: (any ConnectionPoolObserver)?

    /// Tells the time for deadlines. Default: `ContinuousClock`. Tests can give a clock that they set themselves.
    public var clock: any Clock<Duration> = ContinuousClock()

    /// - Parameters:
    ///   - maxSize: The soft limit.
    ///   - burstLimit: The hard limit; `nil`: the soft limit is hard.
    public init(maxSize: Int, burstLimit: Int? = nil) {
        self.maxSize = maxSize
        self.burstLimit = burstLimit
    }

    func validate() throws(ConnectionPoolError) {
        try Self.validate(maxSize: maxSize, burstLimit: burstLimit)
    }

    static func validate(maxSize: Int, burstLimit: Int?) throws(ConnectionPoolError) {
        guard maxSize >= 1 else {
            throw .invalidConfiguration("maxSize is \(maxSize), but a pool needs room for at least 1 connection")
        }
        guard maxSize <= largestSize else {
            throw .invalidConfiguration("maxSize is \(maxSize), but a pool has room for at most \(largestSize)")
        }
        guard let burstLimit else { return }
        guard burstLimit >= maxSize else {
            throw .invalidConfiguration(
                "burstLimit is \(burstLimit) and maxSize is \(maxSize), but the hard limit cannot be below the soft one"
            )
        }
        guard burstLimit <= largestSize else {
            throw .invalidConfiguration("burstLimit is \(burstLimit), but a pool has room for at most \(largestSize)")
        }
    }
}
