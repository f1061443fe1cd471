/// What a run comes to.
struct Summary {
    /// Above this, in seconds, a caller has no more use for what it gets.
    static let patience = 1.0

    /// A timer that is later than this, in seconds, shows that the machine stood still, or did something else.
    static let tolerance = 0.005

    private let calls: [Call]
    /// Waits of those who were served, ascending.
    private let waits: [Double]
    /// Of the seconds that were measured, how many count.
    let duration: Double
    let shareLeftOut: Double

    /// Leaves out whole seconds in which the machine stood still, and the second after each, in which the queue that this made goes
    /// away. They are told by timers, which know nothing of the pool.
    ///
    /// - Parameter warmUp: Who came in the first so many seconds is left out as well.
    init(_ all: [Call], seconds: Int, warmUp: Int) {
        var counts = (0..<seconds).map { $0 >= warmUp }
        for call in all where call.lateness > Self.tolerance {
            let second = Int(call.moment)
            for disturbed in second...(second + 1) where disturbed < seconds { counts[disturbed] = false }
        }
        calls = all.filter { counts[Int($0.moment)] }
        waits = calls.filter(\.isServed).map(\.wait).sorted()
        let counting = counts.count { $0 }
        duration = Double(counting)
        shareLeftOut = 1 - Double(counting) / Double(seconds - warmUp)
    }

    var count: Int { calls.count }

    var arrivalsPerSecond: Double { Double(calls.count) / duration }

    var meanUse: Double { calls.filter(\.isServed).map(\.use).reduce(0, +) / Double(max(1, waits.count)) }

    var meanWait: Double { waits.reduce(0, +) / Double(max(1, waits.count)) }

    /// Of those who were served.
    func wait(quantile: Double) -> Double {
        waits.isEmpty ? .nan : waits[min(Int(Double(waits.count) * quantile), waits.count - 1)]
    }

    /// How many of those who came in a second were served while they had a use for it.
    var goodput: Double { Double(waits.count { $0 <= Self.patience }) / duration }

    var shareRefused: Double { 1 - Double(waits.count) / Double(max(1, calls.count)) }

    /// For how long those waited who were refused, on average; 0 if none was.
    var meanWaitOfRefused: Double {
        let refused = calls.filter { !$0.isServed }
        return refused.map(\.wait).reduce(0, +) / Double(max(1, refused.count))
    }
}
