// SPDX-License-Identifier: Apache-2.0

/// The name of a run, which no other run on the same server has.
struct RunName: Sendable, CustomStringConvertible {
    private let number = UInt32.random(in: 0 ... .max)

    /// The name of the pool's connections, and the prefix of keys.
    var description: String { "burst-pool-demo-\(number)" }

    /// The name as an identifier in SQL.
    var identifier: String { "burst_pool_demo_\(number)" }
}
