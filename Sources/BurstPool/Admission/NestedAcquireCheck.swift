// SPDX-License-Identifier: Apache-2.0

import Synchronization

// Which connections the current task holds, by calls of `withConnection`. Only pools that detect nested acquisitions know.

extension _PoolEngine {
    /// Whether the current task holds all connections that the pool may have. Waiting for another one would then never end.
    @usableFromInline
    func taskHoldsAllConnections() -> Bool {
        // The limit is 0 after a shutdown, which is reported as such.
        let limit = core.isShutDown ? 0 : core.limits.hardLimit
        return limit > 0 && connectionsHeldByTask() >= limit
    }

    /// The number of connections that the current task holds; 0 in pools that do not detect nested acquisitions. O(slots).
    func connectionsHeldByTask() -> Int {
        guard settings.detectsNestedAcquires else { return 0 }
        let task = LeaseRecord.currentTask
        guard task != 0 else { return 0 }
        var held = 0
        forEachSlot { _, slot in if isHeld(slot, by: task) { held += 1 } }
        return held
    }

    /// Whether a task holds a connection. A task sees its own notes, and those of other tasks name other tasks.
    func isHeld(_ slot: _PoolCoreSlot<Core.Lease>, by task: UInt) -> Bool {
        slot.state == .leased && record(of: slot.lease).pointee.task.load(ordering: .relaxed) == task
    }
}
