// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The number of connection attempts that may run at the same time.
struct ConnectCap: ~Copyable, Sendable {
    private let limit: Int
    private let running = Atomic(0)

    init(_ limit: Int?) {
        self.limit = limit ?? .max
    }

    /// Reserves one attempt. Returns `false` if as many run as may, or as many as `temporaryLimit` allows.
    func take(temporaryLimit: Int = .max) -> Bool {
        let limit = min(limit, temporaryLimit)
        var found = running.load(ordering: .sequentiallyConsistent)
        while found < limit {
            let (exchanged, original) = running.compareExchange(
                expected: found,
                desired: found + 1,
                ordering: .sequentiallyConsistent
            )
            if exchanged { return true }
            found = original
        }
        return false
    }

    /// Ends an attempt. The caller then looks whether another caller has been refused meanwhile.
    func giveBack() {
        running.subtract(1, ordering: .sequentiallyConsistent)
        // Pairs with the load in take(temporaryLimit:): a caller that was refused there has joined the wait queue before,
        // so the look that follows this fence finds it.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
    }
}
