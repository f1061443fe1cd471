// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The keys of a group, and their pools.
///
/// Callers find the pool of a key that exists without a lock. The lock is for threads that create a pool or end one: it is held
/// for some hundred nanoseconds, never while a strategy runs, and no caller of an existing key needs it. (A thread that creates a
/// pool meets locks in any case: that of the allocator, and that of the list of pools which `fork` needs.)
@usableFromInline
final class GroupCore<Key: Hashable & Sendable, Strategy: ConnectionStrategy>: Sendable {
    @usableFromInline typealias Engine = _PoolEngine<Strategy, _ConcurrencyKitCore>
    typealias Settings = @Sendable (Key, inout ConnectionPoolKeySettings) throws -> Void

    /// A pool that a caller uses, until it leaves the cell.
    ///
    /// Sendable: the pool is, and the counter is atomic.
    @usableFromInline
    struct Visit: @unchecked Sendable {
        @usableFromInline let engine: Unmanaged<Engine>
        @usableFromInline let counter: UnsafeMutablePointer<Atomic<Int>>

        @inlinable
        init(_ engine: Unmanaged<Engine>, _ counter: UnsafeMutablePointer<Atomic<Int>>) {
            self.engine = engine
            self.counter = counter
        }

        /// Ends the use of the pool. This is the last access to it.
        @inlinable @inline(__always)
        func leave() {
            // Releasing: pairs with the load by which the thread that ends the key finds the counter at 0.
            counter.pointee.wrappingSubtract(1, ordering: .releasing)
        }

        // These take no reference to the pool on the fast path, because the visit keeps it alive.

        @inlinable @inline(__always)
        func acquire(_ timeout: AcquireTimeout, _ site: _LeaseSite) async throws -> _ConcurrencyKitCore.Lease {
            if let idle = try engine._withUnsafeGuaranteedRef({ try $0.acquireIdle(site) }) { return idle }
            return try await engine.takeUnretainedValue().acquireSlowly(timeout: timeout, site)
        }

        @inlinable @inline(__always)
        func connection(of lease: _ConcurrencyKitCore.Lease) -> UnsafeMutablePointer<Strategy.Connection> {
            engine._withUnsafeGuaranteedRef { $0.connection(of: lease) }
        }

        @inlinable @inline(__always)
        func header(of lease: _ConcurrencyKitCore.Lease) -> UnsafeMutablePointer<ConnectionHeader> {
            engine._withUnsafeGuaranteedRef { $0.header(of: lease) }
        }

        /// Ends a lease after a body that returned. Returns an excess connection that the caller must close.
        @inlinable @inline(__always)
        func endLease(_ lease: _ConcurrencyKitCore.Lease) -> _ConcurrencyKitCore.Lease? {
            engine._withUnsafeGuaranteedRef { $0.endLease(lease) }
        }

        @inlinable
        func close(_ excess: _ConcurrencyKitCore.Lease) async throws {
            try await engine.takeUnretainedValue().closeAfterRelease(excess)
        }

        @inlinable
        func release(_ lease: _ConcurrencyKitCore.Lease, after error: any Error) async {
            await engine.takeUnretainedValue().release(lease, after: error)
        }
    }

    /// What only a thread with the lock changes.
    private struct Guarded: ~Copyable {
        var free: KeyCellPointer?
        var size = KeyTable.Size()
        var isShutDown = false
    }

    let configuration: ConnectionPoolGroupConfiguration
    let budget: PlaceBudget
    @usableFromInline let keyOffset = KeyCell.keyOffset(Key.self)
    @usableFromInline let hash = KeyHash()
    /// Read by all callers, and changed by threads with the lock.
    @usableFromInline let table = KeyTable()
    private let guarded = Mutex(Guarded())
    private let settings: Settings
    private let makeStrategy: @Sendable (Key) throws -> Strategy
    private let cells: KeyCells
    private let clock: PoolClock
    private let alarm: AlarmClock
    private let sweeping = OneAtATime()
    private let nextSweep = EarliestMoment()

    init(
        _ configuration: ConnectionPoolGroupConfiguration,
        settings: @escaping Settings,
        makeStrategy: @escaping @Sendable (Key) throws -> Strategy
    ) throws(ConnectionPoolError) {
        try configuration.validate()
        self.configuration = configuration
        self.settings = settings
        self.makeStrategy = makeStrategy
        cells = KeyCells(for: Key.self)
        clock = PoolClock(configuration.perKey.clock)
        alarm = AlarmClock(clock)
        do {
            budget = try PlaceBudget(
                maxTotal: configuration.maxTotal,
                leasesPerTurn: configuration.leasesPerTurn,
                clock: clock,
                cells: cells
            )
        } catch {
            throw .outOfMemory(nil, poolName: configuration.perKey.name)
        }
        alarm.setOwner(self)
    }

    deinit {
        alarm.silence()
        // Other threads may be looking at places at this moment, and then use pools without this object.
        let (cells, keyOffset) = (cells, keyOffset)
        var left: [KeyCellPointer] = []
        cells.forEach { cell in
            guard cell.isLive else { return }
            cell.pointee.isLive.store(false, ordering: .sequentiallyConsistent)
            if cell.isEntered { left.append(cell) } else { _ = Self.empty(cell, keyOffset) }
        }
        guard !left.isEmpty else { return }
        let boxes = left.map { KeyCellPointerBox(pointer: $0) }
        Task.detached {
            for box in boxes {
                while box.pointer.isEntered { await Task.yield() }
                _ = Self.empty(box.pointer, keyOffset)
            }
            withExtendedLifetime(cells) {}
        }
    }

    // MARK: Finding a pool

    @inlinable @inline(__always)
    func key(of cell: KeyCellPointer) -> UnsafeMutablePointer<Key> {
        (UnsafeMutableRawPointer(cell) + keyOffset).assumingMemoryBound(to: Key.self)
    }

    /// The engine of the pool in a cell. Valid while the cell is live and this thread is inside, or with the lock.
    @inlinable @inline(__always)
    static func engine(in cell: KeyCellPointer) -> Unmanaged<Engine>? {
        cell.pointee.engine.map { Unmanaged.fromOpaque($0.toOpaque()) }
    }

    /// Enters the cell of a key, and creates its pool if it has none.
    ///
    /// - Throws: What `makeStrategy` or the closure of the settings throws; ``ConnectionPoolError``.
    @inlinable @inline(__always)
    func enter(_ key: Key) throws -> Visit {
        let hash = hash(key)
        if let visit = find(key, hash) { return visit }
        return try enterSlowly(key, hash)
    }

    /// Enters the cell of a key that a search without a lock finds.
    @inlinable @inline(__always)
    func find(_ key: Key, _ hash: Int) -> Visit? {
        // Acquiring, as are the reads of the words: pairs with the releases in KeyTable.
        let words = table.words.load(ordering: .acquiring)
        let mask = Int(truncatingIfNeeded: words.pointee.load(ordering: .relaxed))
        let tag = UInt64(UInt(bitPattern: hash)) & ~KeyTable.addressMask
        var index = hash & mask
        while true {
            let word = words[index &+ 1].load(ordering: .acquiring)
            if word == 0 { return nil }
            if word & ~KeyTable.addressMask == tag {
                let cell = KeyCellPointer(bitPattern: UInt(word & KeyTable.addressMask)).unsafelyUnwrapped
                let counter = cell.enter()
                // In this order: the key and the pool are only valid in a live cell.
                if cell.isLive, self.key(of: cell).pointee == key, let engine = Self.engine(in: cell) {
                    return Visit(engine, counter)
                }
                counter.pointee.wrappingSubtract(1, ordering: .releasing)
            }
            index = (index &+ 1) & mask
        }
    }

    /// Enters the cell of a key. Returns `nil` if the key has no pool.
    func enterExisting(_ key: Key) -> Visit? {
        let hash = hash(key)
        return find(key, hash) ?? guarded.withLock { _ in findGuarded(key, hash) }
    }

    private func findGuarded(_ key: Key, _ hash: Int) -> Visit? {
        guard let cell = table.find(hash, { self.key(of: $0).pointee == key }) else { return nil }
        // A cell in the table is live while this thread has the lock.
        let counter = cell.enter()
        return Self.engine(in: cell).map { Visit($0, counter) }
    }

    @usableFromInline @inline(never)
    func enterSlowly(_ key: Key, _ hash: Int) throws -> Visit {
        let (known, isShutDown) = guarded.withLock { (findGuarded(key, hash), $0.isShutDown) }
        if let known { return known }
        if isShutDown { throw ConnectionPoolError.groupShutDown(statistics, poolName: configuration.perKey.name) }
        var own = ConnectionPoolKeySettings(configuration: configuration.perKey)
        own.configuration.name += "/\(key)"
        try settings(key, &own)
        try own.validate()
        // The strategy may do anything, so it is made without the lock. Another thread may make one for the same key: then one of
        // the two is dropped before it has opened a connection.
        let strategy = try makeStrategy(key)
        let cell = guarded.withLock { KeyCellPointerBox(pointer: takeFreeCell(&$0)) }
        let share = GroupShare(budget, weight: own.weight, cell: cell.pointer)
        let engine: Engine
        do {
            engine = try Engine(
                strategy: strategy,
                configuration: own.configuration,
                stripes: Self.stripes(for: own.configuration),
                share: share
            )
        } catch {
            guarded.withLock { putFreeCell(cell.pointer, &$0) }
            throw error
        }
        share.setPool(engine)
        let (visit, isNew) = guarded.withLock { guarded -> (Visit?, Bool) in
            if guarded.isShutDown {
                putFreeCell(cell.pointer, &guarded)
                return (nil, false)
            }
            if let other = findGuarded(key, hash) {
                putFreeCell(cell.pointer, &guarded)
                return (other, false)
            }
            fill(cell.pointer, key, hash, engine, share)
            table.insert(cell.pointer, &guarded.size)
            let counter = cell.pointer.enter()
            return (Visit(Unmanaged.passUnretained(engine), counter), true)
        }
        guard let visit else {
            throw ConnectionPoolError.groupShutDown(statistics, poolName: configuration.perKey.name)
        }
        guard isNew else { return visit }
        if own.configuration.minimumIdle > 0 { engine.refill() }
        scheduleSweep()
        return visit
    }

    /// Stripes keep threads on different CPUs apart, and cost memory. There are as many as a cell has counters, and no more than
    /// there can be connections.
    private static func stripes(for configuration: ConnectionPoolConfiguration) -> Int {
        min(KeyCell.counterCount, configuration.burstLimit ?? configuration.maxSize)
    }

    // MARK: Cells, with the lock

    private func takeFreeCell(_ guarded: inout Guarded) -> KeyCellPointer {
        guard let cell = guarded.free else { return cells.create() }
        guarded.free = cell.pointee.nextFree
        return cell
    }

    private func putFreeCell(_ cell: KeyCellPointer, _ guarded: inout Guarded) {
        cell.pointee.nextFree = guarded.free
        guarded.free = cell
    }

    private func fill(_ cell: KeyCellPointer, _ key: Key, _ hash: Int, _ engine: Engine, _ share: GroupShare) {
        cell.pointee.hash = hash
        cell.pointee.engine = Unmanaged.passRetained(engine as AnyObject)
        cell.pointee.share = Unmanaged.passUnretained(share)
        cell.pointee.activity = 0
        cell.pointee.unchangedSince = clock.now
        self.key(of: cell).initialize(to: key)
        cell.pointee.isLive.store(true, ordering: .sequentiallyConsistent)
    }

    /// Takes the pool and the key out of a dead cell that no thread is inside.
    private static func empty(_ cell: KeyCellPointer, _ keyOffset: Int) -> Engine? {
        (UnsafeMutableRawPointer(cell) + keyOffset).assumingMemoryBound(to: Key.self).deinitialize(count: 1)
        let engine = engine(in: cell)?.takeRetainedValue()
        cell.pointee.engine = nil
        cell.pointee.share = nil
        return engine
    }

    /// Ends a key that nobody uses: its pool is taken out of the table. Returns `nil` if it is in use after all.
    private func end(_ cell: KeyCellPointer, ifUnchanged activity: UInt64) -> Engine? {
        let box = KeyCellPointerBox(pointer: cell)
        return guarded.withLock { guarded in
            let cell = box.pointer
            guard cell.isLive, let engine = Self.engine(in: cell) else { return nil }
            // (C) and (D) of KeyCell.
            cell.pointee.isLive.store(false, ordering: .sequentiallyConsistent)
            let isUnused = engine._withUnsafeGuaranteedRef { $0.isUnused && $0.activity == activity }
            guard !cell.isEntered, isUnused else {
                cell.pointee.isLive.store(true, ordering: .sequentiallyConsistent)
                return nil
            }
            table.remove(cell, &guarded.size)
            let ended = Self.empty(cell, keyOffset)
            putFreeCell(cell, &guarded)
            return ended
        }
    }

    // MARK: All pools

    var keyCount: Int { guarded.withLock { $0.size.count } }

    /// The pools of all keys, with their keys. O(keys).
    var pools: [(key: Key, engine: Engine)] {
        var pools: [(Key, Engine)] = []
        cells.forEach { cell in
            let pool = cell.whileLive {
                Self.engine(in: cell).map { (key(of: cell).pointee, $0.takeUnretainedValue()) }
            }
            if let pool { pools.append(pool) }
        }
        return pools
    }

    /// The sum of the statistics of all pools. O(keys + connections).
    var statistics: ConnectionPoolStatistics {
        var sum = ConnectionPoolStatistics(
            _PoolCoreCounts(
                idle: 0,
                leased: 0,
                opening: 0,
                closing: 0,
                waiting: 0,
                limits: budget.core.limits
            )
        )
        for (_, engine) in pools { sum.add(engine.statistics) }
        return sum
    }

    // MARK: Sweeps

    private func scheduleSweep() {
        guard let timeout = configuration.keyIdleTimeout, nextSweep.value == .max else { return }
        // An eighth, so that a pool is ended at most an eighth late.
        let moment = clock.now.addingSaturated(max(1, timeout.nanoseconds / 8))
        nextSweep.lower(to: moment)
        alarm.ring(at: moment)
    }

    /// Ends the pools of keys that were not used for a while, and looks which connections are idle. O(keys).
    private func sweep() {
        guard let timeout = configuration.keyIdleTimeout?.nanoseconds else { return }
        let now = clock.now
        var isAnyLeft = false
        cells.forEach { cell in
            let seen = cell.whileLive {
                Self.engine(in: cell)?._withUnsafeGuaranteedRef { (activity: $0.activity, isEmpty: $0.core.total == 0) }
            }
            guard let (activity, isEmpty) = seen else { return }
            isAnyLeft = true
            // A pool without connections is worth nothing to a caller who needs one.
            let limit = isEmpty ? timeout / 8 : timeout
            if cell.pointee.activity != activity {
                cell.pointee.activity = activity
                cell.pointee.unchangedSince = now
            } else if now.subtractingSaturated(cell.pointee.unchangedSince) >= limit {
                end(cell, ifUnchanged: activity)?.beginShutdown()
            }
        }
        if isAnyLeft { scheduleSweep() }
    }

    // MARK: The end

    func beginShutdown() {
        guarded.withLock { $0.isShutDown = true }
        for (_, engine) in pools { engine.beginShutdown() }
    }

    func shutdown(drainFor: Duration?) async -> ConnectionPoolShutdownResult {
        let deadline = PoolClock.deadline(after: drainFor, from: clock.now)
        beginShutdown()
        alarm.silence()
        var held = 0
        for (_, engine) in pools {
            let heldOfKey = engine.connectionsHeldByTask()
            if heldOfKey > 0 { engine.events.report(.shutdownInsideBody(connections: heldOfKey)) }
            held += heldOfKey
        }
        while budget.total > held {
            let returned = OneShot()
            budget.returned.add(returned)
            if budget.total <= held { break }
            let outcome = await clock.wait(for: returned, until: deadline)
            if outcome == .timedOut || outcome == .cancelled { break }
        }
        return ConnectionPoolShutdownResult(remaining: statistics, heldByCaller: held)
    }

    /// Begins the shutdown of a group whose last reference was dropped.
    func abandon() {
        guarded.withLock { $0.isShutDown = true }
        for (_, engine) in pools { engine.abandon() }
    }
}

extension GroupCore: AlarmClockOwner {
    @usableFromInline
    func alarmClockRang() {
        let now = clock.now
        if nextSweep.resetIfDue(now: now) {
            budget.look()
            sweeping.perform { sweep() }
        }
        alarm.ring(at: nextSweep.value)
    }
}

extension _PoolEngine {
    /// A number that every acquisition and every attempt to open a connection changes. O(slots).
    var activity: UInt64 {
        var sum: UInt64 = 0
        core.forEachSlot { _, slot in sum &+= slot.serial }
        return sum
    }

    /// Whether no caller has a connection or waits for one.
    var isUnused: Bool {
        let counts = core.counts
        return counts.leased == 0 && counts.opening == 0 && counts.waiting == 0
    }
}
