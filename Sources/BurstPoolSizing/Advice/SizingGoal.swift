// SPDX-License-Identifier: Apache-2.0

/// What a pool should achieve.
public struct SizingGoal: Sendable, Hashable {
    /// The longest wait that 99 of 100 callers should have.
    public var p99Wait: Duration
    /// The rate of the worst minute that the pool must bear, in callers per second. Bursts come in addition.
    public var peakRate: Double
    /// How many connections are opened at the same time. Default: 8, as in `ConnectionPoolConfiguration.recommended`.
    public var maxConcurrentConnects: Int? = 8

    /// Creates a goal.
    public init(p99Wait: Duration, peakRate: Double) {
        self.p99Wait = p99Wait
        self.peakRate = peakRate
    }

    /// The goal if nothing else is known: 99 of 100 callers wait for at most one mean use, and the worst minute has twice the
    /// usual rate.
    public init(for load: PoolLoad) {
        self.init(p99Wait: load.use.mean, peakRate: 2 * load.rate)
    }

    func validate(for load: PoolLoad) throws(SizingError) {
        guard p99Wait > .zero, p99Wait <= PoolLoad.greatestDuration else {
            throw SizingError(.invalidGoal, "The wait to aim at is \(p99Wait). It must be above 0 and at most 1 hour.")
        }
        guard peakRate >= load.rate else {
            throw SizingError(
                .invalidGoal,
                "The peak rate is \(peakRate) callers per second and the usual rate is \(load.rate). The peak rate must be at least the usual rate."
            )
        }
    }
}
