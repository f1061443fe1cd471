// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// The pool at one moment.
struct Sample: Sendable {
    /// The time since the start of the load.
    var time: Duration
    var idle: Int
    var inUse: Int
    var opening: Int
    var closing: Int
    var waiting: Int
    /// The number of answered commands so far.
    var commands: Int
    var errors: Int
    /// The numbers of opened, closed and killed connections so far.
    var opened: Int
    var closed: Int
    var killed: Int

    var total: Int { idle + inUse + opening + closing }
    var seconds: Double { time / .seconds(1) }
}
