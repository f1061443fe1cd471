// SPDX-License-Identifier: Apache-2.0

/// The state of all pools at one moment, and a summary of the time since the previous sample.
struct PoolSample: Sendable, Codable, Equatable {
    /// Milliseconds since 1970.
    var time: Int
    /// The length of the summarized time in milliseconds.
    var span: Int
    /// The number of answered requests since the service started.
    var requests: Int
    /// The number of responses with the status 503 since the service started.
    var unavailable: Int
    var pools: [Entry]

    /// The sample of one pool.
    struct Entry: Sendable, Codable, Equatable {
        var name: String
        /// Whether several requests use one connection at the same time.
        var isShared: Bool
        /// The pool at the moment of the sample.
        var pool: PoolState
        /// The largest values in the summarized time. A burst can be shorter than the time between two samples.
        var peak: PoolPeak
        /// The averages over the summarized time.
        var mean: PoolMean
        var acquires: Acquires
        /// The name of the database to which the connections lead, such as Redis.
        var system: String
        /// Whether the database answered during the whole time.
        var answers: Bool
    }

    /// How long the acquires in the summarized time took, in milliseconds.
    struct Acquires: Sendable, Codable, Equatable {
        var count: Int
        var p50: Double?
        var p99: Double?
    }
}

struct PoolPeak: Sendable, Codable, Equatable {
    var total = 0
    var inUse = 0
    var leasesInUse = 0
    var waiting = 0
}

/// The average numbers of connections, which add up to the average total.
struct PoolMean: Sendable, Codable, Equatable {
    var inUse = 0.0
    var idle = 0.0
    var opening = 0.0
    var closing = 0.0
}
