import Synchronization

extension ConnectionHeader {
    /// Sees to it that the connection expires at that moment at the latest.
    func lowerExpiry(to moment: UInt64) {
        var expiry = expiresAt.load(ordering: .relaxed)
        while expiry == 0 || expiry > moment {
            let (lowered, found) = expiresAt.compareExchange(expected: expiry, desired: moment, ordering: .relaxed)
            if lowered { return }
            expiry = found
        }
    }
}

extension _PoolEngine {
    /// Sees to it that no connection that is open or being opened now is handed out again: at once, or one after the other
    /// over a period.
    public func evictAll(over period: Duration?) {
        let live = liveSlots()
        guard let period, period > .zero else {
            for slot in live { header(of: slot.lease).pointee.mark(.isEvicted) }
            // Pairs with the exchange by which a lease is taken or returned: whoever does that after this sees the marks,
            // and what was returned before is idle now, and is found here.
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            lookAfterConnections()
            return
        }
        let now = clock.now
        // No more than fits a clock: it does not matter what becomes of connections after some hundred years.
        let length = min(period.nanoseconds, UInt64(Int64.max) / 2)
        let step = length / UInt64(max(1, live.count))
        for (position, slot) in live.enumerated() {
            let header = header(of: slot.lease)
            let moment = now + step * UInt64(position + 1)
            header.pointee.lowerExpiry(to: moment)
            header.pointee.mark(.isLeaving)
        }
        // One look for each connection, for up to 64 of them.
        let looks = UInt64(min(max(live.count, 1), 64))
        upkeep.evictor.replace(
            with: Task.detached { [self] in
                for look in 1...looks {
                    let moment = now + (look == looks ? length : length / looks * look)
                    do { try await clock.sleep(until: moment) } catch { return }
                    lookAfterConnections()
                }
            }
        )
        if core.isShutDown { upkeep.stop() }
    }

    /// Those with a connection, or with one that is being opened.
    func liveSlots() -> [_PoolCoreSlot<Core.Lease>] {
        var live: [_PoolCoreSlot<Core.Lease>] = []
        var index = 0
        while let slot = core.slot(at: index) {
            index += 1
            switch slot.state {
            case .opening, .idle, .leased: live.append(slot)
            case .vacant, .closing: break
            }
        }
        return live
    }
}
