// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The implementation of a pool: it runs the strategy, suspends and resumes callers, and decides when to open and close.
///
/// The engine is composed of parts that own their state. The core owns the slots, the idle connections and the wait queue, and
/// can be exchanged for another one. Other parts are the connect gate, the minimum of idle connections, maintenance, and the
/// alarm clock. Each extension of the engine is one path through these parts, and reads from top to bottom.
///
/// Each path that makes a connection idle or frees a permit ends in ``reconcile(mayCloseInline:for:)``, which serves the oldest
/// waiter.
///
/// Not API: public so that benchmarks can run the engine on other cores.
public final class _PoolEngine<Strategy: ConnectionStrategy, Core: _PoolCore>: Sendable {
    @usableFromInline let core: Core
    /// The strategy. Unmanaged, because the core owns the reference that keeps it alive until the core is destroyed.
    @usableFromInline let unretainedStrategy: Unmanaged<Strategy>
    @usableFromInline let settings: EngineSettings
    @usableFromInline let clock: PoolClock
    @usableFromInline let alarm: AlarmClock
    @usableFromInline let operations = OperationTimer()
    @usableFromInline let events: EventReporter
    @usableFromInline let gate: ConnectGate?
    @usableFromInline let loadShedding: LoadShedding?
    @usableFromInline let minimumIdle: MinimumIdle
    @usableFromInline let evictions = Evictions()
    let openErrors = OpenErrors()
    @usableFromInline let health = HealthRecord()
    @usableFromInline let waits: WaitTable
    /// The pool's share in a group of pools with one total; `nil` for a pool that belongs to no group.
    @usableFromInline let share: GroupShare?
    let visits = Visits<Core.Lease>()
    let maintenance: Maintenance
    @usableFromInline let validations = Validations()
    /// Fires when all connections of a pool that was shut down are closed.
    @usableFromInline let allClosed = Broadcast()
    /// Fires when a lease may have ended in a pool that is paused or was shut down.
    @usableFromInline let leaseEnded = Broadcast()
    /// The engine of a shared pool, which lets several callers use each connection of this engine; `nil` in an exclusive pool.
    /// Set once, before the first connection opens. Weak, because that engine owns this one.
    nonisolated(unsafe) weak var sharing: (any SharingEngine)?

    public convenience init(
        strategy: Strategy,
        configuration: ConnectionPoolConfiguration
    ) throws(ConnectionPoolError) {
        try self.init(strategy: strategy, configuration: configuration, stripes: nil)
        if configuration.minimumIdle > 0 { refill() }
    }

    /// Creates an engine that has opened no connection yet.
    ///
    /// - Parameters:
    ///   - stripes: Into how many stripes, each a stack of its own, the core divides the idle connections; `nil` for as many as
    ///     suit the number of CPUs.
    ///   - share: The pool's share in a group of pools; `nil` for a pool that belongs to no group.
    ///   - isShared: Whether each slot has room for a ``SharingHeader``. The caller then sets ``sharing``, and calls
    ///     ``refill()``.
    init(
        strategy: Strategy,
        configuration: ConnectionPoolConfiguration,
        stripes: Int?,
        share: GroupShare? = nil,
        isShared: Bool = false
    ) throws(ConnectionPoolError) {
        try configuration.validate()
        let alignment = MemoryLayout<Strategy.Connection>.alignment
        guard alignment <= 64 else {
            throw .invalidConfiguration(
                "The connection type \(Strategy.Connection.self) is aligned to \(alignment) bytes. A pool can align connections to at most 64 bytes.",
                poolName: configuration.name
            )
        }
        settings = EngineSettings(configuration)
        self.share = share
        waits = WaitTable(tracksPlaces: settings.initialFlags.contains(.isTracked))
        let retained = Unmanaged.passRetained(strategy)
        do {
            core = try Core(
                _PoolCoreConfiguration(
                    limits: _PoolCoreLimits(
                        maxSize: configuration.maxSize,
                        hardLimit: configuration.burstLimit ?? configuration.maxSize
                    ),
                    keepsExcess: configuration.burstLinger != nil,
                    maxWaiters: configuration.maxWaiters,
                    elementSize: Self.elementSize(settings, hasPlace: share != nil, isShared: isShared),
                    elementAlignment: max(alignment, MemoryLayout<ConnectionHeader>.alignment),
                    stripes: stripes,
                    firstSlots: share == nil ? nil : 1,
                    owner: Unmanaged<AnyObject>.fromOpaque(retained.toOpaque())
                )
            )
        } catch {
            throw .outOfMemory(nil, poolName: configuration.name)
        }
        unretainedStrategy = retained
        clock = PoolClock(configuration.clock)
        alarm = AlarmClock(clock)
        events = EventReporter(poolName: configuration.name, configuration.observer)
        gate = ConnectGate(configuration)
        loadShedding = configuration.loadShedding.map { LoadShedding($0) }
        minimumIdle = MinimumIdle(minimum: configuration.minimumIdle)
        maintenance = Maintenance(MaintenanceSettings(configuration))
        alarm.setOwner(self)
    }

    deinit {
        // Leases, connections that are opening or closing, and waiters all retain the engine. Idle connections were closed when
        // the pool was shut down or dropped. So the core has no connection and no waiter left.
        core.destroy()
        alarm.silence()
    }

    var strategy: Strategy { unretainedStrategy.takeUnretainedValue() }

    public var configuration: ConnectionPoolConfiguration {
        var configuration = settings.configuration
        let limits = core.limits
        if limits.maxSize > 0 {
            configuration.maxSize = limits.maxSize
            // A burstLimit that is equal to maxSize has no effect, so it is reported only if it was configured.
            configuration.burstLimit =
                limits.hardLimit == limits.maxSize && configuration.burstLimit == nil ? nil : limits.hardLimit
        }
        return configuration
    }

    public var statistics: ConnectionPoolStatistics {
        var statistics = ConnectionPoolStatistics(core.counts)
        if settings.initialFlags.contains(.isCounted) {
            var idleLeases = 0
            core.forEachSlot { _, slot in
                idleLeases += record(of: slot.lease).pointee.idleLeases.load(ordering: .relaxed)
            }
            statistics.idleLeases = idleLeases
        }
        return statistics
    }
}
