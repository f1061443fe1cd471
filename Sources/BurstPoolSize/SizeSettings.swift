// SPDX-License-Identifier: Apache-2.0

import BurstPoolSizing

/// What the command is asked.
struct SizeSettings {
    var load: PoolLoad
    var goal: SizingGoal
    /// The sizes to compare; `nil`: sizes around the recommended one.
    var maxSizes: [Int]?
    /// The burst limits to compare; `nil`: twice `maxSize`.
    var burstLimits: [Int]?
    /// `nil`: as recommended.
    var burstLinger: Duration?
    /// `nil`: as recommended.
    var connectDelay: Duration?
    var acquireTimeout: Duration?
    var callers = PoolSimulation.usualCallers
    var seed: UInt64 = 1
    /// What the load was made of, for people.
    var source = "numbers given by hand"
}
