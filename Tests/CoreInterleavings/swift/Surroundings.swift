// SPDX-License-Identifier: Apache-2.0

import CExplorer

/// What the explorer chooses where the core would ask the system, or where constants keep rare paths rare.
enum Explored {
    /// The number of stripes of the pool that is created next.
    nonisolated(unsafe) static var stripes = 1
    /// How many waits one call of `expire` ends at most.
    nonisolated(unsafe) static var expiryCapacity = 4
    static var purgeSlack: Int { Int(explored_slack()) }
    static var purgeLimit: Int { Int(explored_limit()) }

    private static let threads = 8
    /// For each thread: whether its call had a lease that has ended.
    private nonisolated(unsafe) static let stale: UnsafeMutablePointer<Bool> = {
        let flags = UnsafeMutablePointer<Bool>.allocate(capacity: threads)
        flags.initialize(repeating: false, count: threads)
        return flags
    }()

    private static var thread: Int { min(Int(this_thread()), threads - 1) }

    /// The core says nothing of a lease that has ended, but in debug builds. Here it is the answer of the call.
    static func noteStaleLease() {
        stale[thread] = true
    }

    /// Runs a call that ends or moves a lease. Returns `BP_STALE_LEASE` if the lease had ended.
    static func status(_ call: () -> bp_status) -> bp_status {
        stale[thread] = false
        let status = call()
        return stale[thread] ? BP_STALE_LEASE : status
    }
}

/// A thread may be on another CPU each time it asks.
@usableFromInline
struct ThreadNumber: Sendable {
    static let shared: ThreadNumber? = ThreadNumber()
    @usableFromInline var current: UInt { UInt(explored_home_number()) }
}
