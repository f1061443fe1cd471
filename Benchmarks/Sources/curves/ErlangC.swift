// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The queue M/M/c: random arrivals, exponential times of use, `servers` servers, first come, first served, and no
/// caller leaves.
///
/// Source: A. K. Erlang, Solution of some problems in the theory of probabilities of significance in automatic
/// telephone exchanges, 1917.
struct ErlangC {
    var servers: Int
    /// The number of uses that begin per second.
    var arrivals: Double
    /// In seconds.
    var meanUse: Double

    /// The average number of connections in use.
    var offered: Double { arrivals * meanUse }

    /// The share of the time during which each server is in use. At 1 and above there is no steady state.
    var load: Double { offered / Double(servers) }

    /// The probability that a caller has to wait, computed from Erlang B, whose recursion does not overflow.
    var probabilityOfWaiting: Double {
        guard load < 1 else { return 1 }
        var blocked = 1.0
        for server in 1...servers { blocked = offered * blocked / (Double(server) + offered * blocked) }
        return blocked / (1 - load * (1 - blocked))
    }

    /// The average wait of all callers in seconds, including callers that need not wait.
    var meanWait: Double {
        load < 1 ? probabilityOfWaiting * meanUse / (Double(servers) * (1 - load)) : .infinity
    }

    /// Returns the wait, in seconds, that this share of all callers does not exceed.
    func quantile(_ share: Double) -> Double {
        guard load < 1 else { return .infinity }
        return max(0, log(probabilityOfWaiting / (1 - share)) * meanUse / (Double(servers) * (1 - load)))
    }
}
