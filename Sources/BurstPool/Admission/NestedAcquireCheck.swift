// SPDX-License-Identifier: Apache-2.0

extension _PoolEngine {
    /// Whether bodies of the current task use all connections that the pool may have. Waiting for another one would then never
    /// end. O(slots).
    @usableFromInline
    func taskHoldsAllConnections() -> Bool {
        // The limit is 0 after a shutdown, which is reported as such.
        let limit = core.isShutDown ? 0 : core.limits.hardLimit
        return limit > 0 && connectionsHeldByTask() >= limit
    }
}
