/// What a run comes to.
struct Summary {
    /// Above this, in seconds, a caller has no more use for what it gets.
    static let patience = 1.0

    private let calls: [Call]
    /// Waits of those who were served, ascending.
    private let waits: [Double]
    /// In seconds.
    let duration: Double

    /// - Parameter warmUp: Who came in the first so many seconds is left out.
    init(_ all: [Call], duration: Double, warmUp: Double) {
        calls = all.filter { $0.moment >= warmUp }
        waits = calls.filter(\.isServed).map(\.wait).sorted()
        self.duration = duration - warmUp
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
