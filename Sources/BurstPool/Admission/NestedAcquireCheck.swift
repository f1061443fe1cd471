import Synchronization

extension _PoolEngine {
    /// Whether the current task holds all connections that the pool may have, by calls of `withConnection`. Waiting for
    /// another one would then never end.
    @usableFromInline
    func taskHoldsAllConnections() -> Bool {
        let task = LeaseRecord.currentTask
        guard task != 0 else { return false }
        var held = 0
        forEachSlot { _, slot in
            // A task sees its own notes, and those of other tasks name other tasks.
            if slot.state == .leased, record(of: slot.lease).pointee.task.load(ordering: .relaxed) == task { held += 1 }
        }
        // The limit is 0 after a shutdown, which is reported as such.
        let limit = core.isShutDown ? 0 : core.limits.hardLimit
        return limit > 0 && held >= limit
    }
}
