import Foundation

/// The queue M/M/c: arrivals at random, uses of exponential length, `servers` of them, first come first served, nobody leaves.
///
/// Source: A. K. Erlang, Solution of some problems in the theory of probabilities of significance in automatic telephone
/// exchanges, 1917.
struct ErlangC {
    var servers: Int
    /// How many uses begin per second.
    var arrivals: Double
    /// In seconds.
    var meanUse: Double

    /// Connections in use, on average.
    var offered: Double { arrivals * meanUse }

    /// The share of the time for which each server is in use. At 1 and above there is no steady state.
    var load: Double { offered / Double(servers) }

    /// How likely a caller has to wait; by way of Erlang B, whose recursion overflows for no number of servers.
    var probabilityOfWaiting: Double {
        guard load < 1 else { return 1 }
        var blocked = 1.0
        for server in 1...servers { blocked = offered * blocked / (Double(server) + offered * blocked) }
        return blocked / (1 - load * (1 - blocked))
    }

    /// In seconds, of all callers, those who need not wait included.
    var meanWait: Double {
        load < 1 ? probabilityOfWaiting * meanUse / (Double(servers) * (1 - load)) : .infinity
    }

    /// The wait, in seconds, that this share of all callers does not exceed.
    func quantile(_ share: Double) -> Double {
        guard load < 1 else { return .infinity }
        return max(0, log(probabilityOfWaiting / (1 - share)) * meanUse / (Double(servers) * (1 - load)))
    }
}
