// SPDX-License-Identifier: Apache-2.0

/// A simulation of a pool under a load.
///
/// It makes the decisions that the pool makes: the connection that was used last is used next; callers wait first come, first
/// served; up to the hard limit a connection is opened for the oldest waiter that has none coming; a waiter gets that connection
/// or one that is released, whichever comes first; above `maxSize`, a released connection for which no caller waits is closed, at
/// once or after it has lingered.
///
/// It leaves out what depends on the server and the machine: connects that fail, the time of a close, `idleTimeout`,
/// `maxLifetime` and validations, and the time that the program itself needs. The pool begins with `maxSize` idle connections.
///
/// The same load, policy, number of callers and seed always have the same result, and two policies with the same seed see the
/// same callers.
public struct PoolSimulation: Sendable {
    /// What is asked of the pool.
    public let load: PoolLoad
    /// The settings of the pool.
    public let policy: PoolPolicy
    /// The number of callers.
    public let callers: Int
    /// The seed of the random numbers.
    public let seed: UInt64

    /// The number of callers unless another is given: 200,000.
    public static let usualCallers = 200_000
    /// From 1,000 to 10 million.
    public static let possibleCallers = 1_000...10_000_000

    /// Creates a simulation.
    ///
    /// - Parameters:
    ///   - load: What is asked of the pool.
    ///   - policy: The settings of the pool.
    ///   - callers: How many callers come. The first tenth is not measured, because the pool is not in its steady state yet.
    ///   - seed: The seed of the random numbers.
    /// - Throws: A ``SizingError`` if a value is out of range.
    public init(
        _ load: PoolLoad,
        _ policy: PoolPolicy,
        callers: Int = usualCallers,
        seed: UInt64 = 1
    ) throws(SizingError) {
        try load.validate()
        try policy.validate()
        guard Self.possibleCallers.contains(callers) else {
            throw SizingError(
                .invalidGoal,
                "The number of simulated callers is \(callers). It must be at least 1000 and at most 10 million."
            )
        }
        self.load = load
        self.policy = policy
        self.callers = callers
        self.seed = seed
    }

    /// Runs the simulation. O(callers × log connections) in time and O(callers) in memory; 200,000 callers take some tens of
    /// milliseconds in a build with optimisation.
    public func run() -> PoolForecast {
        let source = RandomCallers(load, count: callers, seed: seed)
        var simulator = Simulator(policy, source, firstMeasured: callers / 10)
        return PoolForecast(policy, simulator.run(), load: load.meanInUse / Double(policy.hardLimit))
    }
}
