// SPDX-License-Identifier: Apache-2.0

import CRunningTask
import Synchronization

/// Which task uses a connection in an asynchronous body, stored in the slot of the connection.
///
/// A task that waits inside a body for the end of that body would wait for ever, as in a shutdown. With this note the pool leaves
/// out the connections that the task itself uses. A body that does not suspend cannot wait, and a lease of `acquire()` can be
/// ended by another task, so both note nothing.
///
/// All operations are relaxed. A task looks for its own number only: it has stored that itself, and has cleared it before another
/// task could have the connection.
@usableFromInline
struct LeaseHolder: ~Copyable {
    /// 0 if no asynchronous body uses the connection.
    @usableFromInline let task: Atomic<UInt>

    /// Notes that a body of the present task begins.
    @inlinable @inline(__always)
    func note() {
        task.store(running_task_number(), ordering: .relaxed)
    }

    /// Notes that the body has ended. Call this before the lease ends.
    @inlinable @inline(__always)
    func clear() {
        task.store(0, ordering: .relaxed)
    }

    func isTask(_ number: UInt) -> Bool {
        task.load(ordering: .relaxed) == number
    }
}

extension _PoolEngine {
    /// The number of connections that bodies of the present task use. O(slots).
    func connectionsHeldByTask() -> Int {
        let task = running_task_number()
        guard task != 0 else { return 0 }
        var held = 0
        core.forEachSlot { _, slot in if isHeld(slot, by: task) { held += 1 } }
        return held
    }

    /// Whether a body of a task uses a connection.
    func isHeld(_ slot: _PoolCoreSlot<Core.Lease>, by task: UInt) -> Bool {
        slot.state == .leased && header(of: slot.lease).pointee.holder.isTask(task)
    }
}
