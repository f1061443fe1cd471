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
    /// Marks a connection, and numbers that.
    ///
    /// Relaxed: to a caller who joins the queue after it all three are known by that. Whoever has joined before may take the
    /// eviction for an older one, and lines up once more; nobody is handed a connection that should not be.
    func evict(_ header: UnsafeMutablePointer<ConnectionHeader>) {
        guard header.pointee.flags(.isEvicted).isEmpty else { return }
        let number = evictions.add(1, ordering: .relaxed).newValue
        header.pointee.evictedAs.store(number, ordering: .relaxed)
        header.pointee.set(.isEvicted)
    }

    /// Whether a connection had been evicted by the time when so many had been: it must not be handed to who has come since.
    @usableFromInline
    func isEvicted(_ lease: Core.Lease, since evictionsBefore: UInt32) -> Bool {
        let header = header(of: lease)
        guard !header.pointee.flags(.isEvicted).isEmpty else { return false }
        let number = header.pointee.evictedAs.load(ordering: .relaxed)
        return Int32(bitPattern: evictionsBefore &- number) >= 0
    }

    /// Sees to it that no connection that is open or being opened now is handed out again: at once, or one after the other
    /// over a period.
    public func evictAll(over period: Duration?) {
        let live = liveSlots()
        guard let period, period > .zero else {
            for slot in live { evict(header(of: slot.lease)) }
            // Pairs with the exchange by which a connection is taken: whoever does that after this sees the flags.
            atomicMemoryFence(ordering: .sequentiallyConsistent)
            lookAfterConnections()
            if somethingIsEvicted { startEvicting { [self] in await evictRest() } }
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
            header.pointee.set(.isLeaving)
        }
        // One look for each connection, for up to 64 of them.
        let looks = UInt64(min(max(live.count, 1), 64))
        startEvicting { [self] in
            for look in 1...looks {
                let moment = now + (look == looks ? length : length / looks * look)
                do { try await clock.sleep(until: moment) } catch { return }
                lookAfterConnections()
            }
            await evictRest()
        }
    }

    private func startEvicting(_ evict: @escaping @concurrent @Sendable () async -> Void) {
        maintenance.evictor.replace(with: evict)
        // A shutdown that came before this did not see the task, which would keep the engine.
        if core.isShutDown { maintenance.stop() }
    }

    /// Looks again until all have gone that are to go. Who returns one looks at its flags first, and if that was before they
    /// were set, it is idle afterwards, and nobody else might ever look for it.
    private func evictRest() async {
        var pause: UInt64 = 1_000_000
        while somethingIsEvicted {
            do { try await clock.sleep(until: clock.now + pause) } catch { return }
            lookAfterConnections()
            pause = min(pause * 2, 1_000_000_000)
        }
    }

    private var somethingIsEvicted: Bool {
        liveSlots().contains { !header(of: $0.lease).pointee.flags([.isEvicted, .isLeaving]).isEmpty }
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
