// SPDX-License-Identifier: Apache-2.0

/// What is asked of a pool: how often callers come, how long they use a connection, and how long opening one takes.
public struct PoolLoad: Sendable, Hashable {
    /// The number of callers per second that come at random times, each independent of the others (a Poisson process).
    public var rate: Double
    /// Callers that come at the same instant, in addition. Default: none.
    public var burst: Burst?
    /// How long a caller uses a connection.
    public var use: DurationDistribution
    /// How long opening a connection takes.
    public var connect: DurationDistribution

    /// Callers that come at the same instant, again and again.
    public struct Burst: Sendable, Hashable {
        /// The number of callers.
        public var callers: Int
        /// The time from one burst to the next.
        public var interval: Duration

        /// Creates bursts of this many callers. The first burst comes after half of the interval.
        public init(callers: Int, every interval: Duration) {
            self.callers = callers
            self.interval = interval
        }
    }

    /// Creates a load.
    public init(rate: Double, use: DurationDistribution, connect: DurationDistribution, burst: Burst? = nil) {
        self.rate = rate
        self.use = use
        self.connect = connect
        self.burst = burst
    }

    /// The number of callers per second, with those of bursts.
    public var callersPerSecond: Double {
        rate + (burst.map { Double($0.callers) / $0.interval.inSeconds } ?? 0)
    }

    /// How many connections are in use on average, if callers never fail: Little's law.
    public var meanInUse: Double { callersPerSecond * use.mean.inSeconds }
}

// MARK: Limits

extension PoolLoad {
    /// The greatest ``rate``: 10 million callers per second.
    public static let greatestRate = 10_000_000.0
    /// The greatest duration of a use, a connect, or an interval of bursts: 1 hour.
    public static let greatestDuration = Duration.seconds(3600)
    /// The most callers of one burst: 100,000.
    public static let largestBurst = 100_000

    func validate() throws(SizingError) {
        guard rate > 0, rate <= Self.greatestRate else {
            throw SizingError(
                .invalidLoad,
                "The rate is \(rate) callers per second. It must be above 0 and at most 10 million."
            )
        }
        try Self.validate(use, "duration of a use", from: .nanoseconds(1))
        try Self.validate(connect, "duration of a connect", from: .zero)
        if let burst {
            guard (1...Self.largestBurst).contains(burst.callers) else {
                throw SizingError(
                    .invalidLoad,
                    "A burst has \(burst.callers) callers. It must have at least 1 and at most \(Self.largestBurst)."
                )
            }
            guard burst.interval >= .milliseconds(1), burst.interval <= Self.greatestDuration else {
                throw SizingError(
                    .invalidLoad,
                    "The interval of bursts is \(burst.interval). It must be at least 1 millisecond and at most 1 hour."
                )
            }
        }
        guard meanInUse <= Double(PoolPolicy.largestSize) / 2 else {
            throw SizingError(
                .invalidLoad,
                "The load keeps \(meanInUse.rounded()) connections in use. The simulation can have at most \(PoolPolicy.largestSize / 2). Simulate the share of one process."
            )
        }
    }

    private static func validate(
        _ distribution: DurationDistribution,
        _ name: String,
        from least: Duration
    ) throws(SizingError) {
        if case .recorded(let histogram) = distribution, histogram.isEmpty {
            throw SizingError(
                .invalidLoad,
                "The \(name) is a histogram without durations. Record some, or give a mean."
            )
        }
        let mean = distribution.mean
        guard mean >= least, mean <= greatestDuration else {
            let least = least > .zero ? "above 0" : "at least 0"
            throw SizingError(
                .invalidLoad,
                "The \(name) is \(mean) on average. It must be \(least) and at most 1 hour."
            )
        }
    }
}
