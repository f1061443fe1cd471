// SPDX-License-Identifier: Apache-2.0

/// One caller of a simulated pool.
struct Caller: Sendable {
    /// When the caller comes, in seconds from the start.
    var moment: Double
    /// How long it uses a connection, in seconds.
    var use: Double
}

/// The callers of a simulation, and the durations of its connects.
protocol CallerSource {
    /// The callers in the order in which they come; `nil` after the last one.
    mutating func nextCaller() -> Caller?
    /// The duration of the next connect in seconds.
    mutating func nextConnect() -> Double
}

/// Callers that come at random.
///
/// Moments, uses and connects are drawn independently, so two policies that are simulated with one seed see the same callers.
/// A comparison of the policies then contains less chance.
struct RandomCallers: CallerSource {
    private let meanGap: Double
    private let burst: PoolLoad.Burst?
    private let burstInterval: Double
    private var left: Int
    private var moments: SeededGenerator
    private var uses: DurationSource
    private var connects: DurationSource
    private var nextSingle: Double
    private var nextBurst: Double
    private var leftInBurst: Int

    init(_ load: PoolLoad, count: Int, seed: UInt64) {
        meanGap = 1 / load.rate
        burst = load.burst
        burstInterval = load.burst?.interval.inSeconds ?? .infinity
        left = count
        moments = SeededGenerator(seed: seed, stream: 1)
        uses = DurationSource(load.use, seed: seed, stream: 2)
        connects = DurationSource(load.connect, seed: seed, stream: 3)
        nextSingle = moments.exponential(mean: meanGap)
        nextBurst = burstInterval / 2
        leftInBurst = load.burst?.callers ?? 0
    }

    mutating func nextCaller() -> Caller? {
        guard left > 0 else { return nil }
        left -= 1
        return Caller(moment: nextMoment(), use: uses.next())
    }

    private mutating func nextMoment() -> Double {
        guard nextBurst <= nextSingle else {
            defer { nextSingle += moments.exponential(mean: meanGap) }
            return nextSingle
        }
        let moment = nextBurst
        leftInBurst -= 1
        if leftInBurst == 0 {
            leftInBurst = burst?.callers ?? 0
            nextBurst += burstInterval
        }
        return moment
    }

    mutating func nextConnect() -> Double { connects.next() }
}
