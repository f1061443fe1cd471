// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The implementation of a shared pool: it hands out leases of connections that another engine holds.
///
/// The engine of the connections (``connections``) is that of an exclusive pool. It opens, validates, retires and closes
/// connections, and knows all limits that count connections. To it, this engine is a caller that leases a connection as a
/// whole, which is called checking out. This engine then makes a slot in a core of its own for each lease that the connection
/// allows. The fast path takes an idle slot and puts it back, exactly as in an exclusive pool. When all slots of a connection
/// have been given up, the connection is returned to the engine of the connections.
///
/// Callers wait in the queue of this engine's core. For each connection that they need, one task of the pool waits in the queue
/// of the other engine.
///
/// `Decisions/0018` explains why.
@usableFromInline
final class SharedPoolEngine<Strategy: SharedConnectionStrategy, Core: _PoolCore>: Sendable {
    @usableFromInline typealias Connections = _PoolEngine<SharingStrategy<Strategy>, Core>

    /// The slots and the wait queue of the leases.
    @usableFromInline let core: Core
    /// Unmanaged, because the core owns the reference that keeps the strategy alive, until the core is destroyed.
    @usableFromInline let unretainedStrategy: Unmanaged<Strategy>
    /// Not 0 if a thread that has put an idle lease back must look what else there is to do. See ``Attention``.
    @usableFromInline let attention = Atomic<UInt64>(0)
    @usableFromInline let settings: SharingSettings
    @usableFromInline let clock: PoolClock
    @usableFromInline let events: EventReporter
    @usableFromInline let waits: WaitTable
    let connections: Connections
    let alarm: AlarmClock
    let loadShedding: LoadShedding?
    /// The number of callers between the beginning and the end of their wait.
    let waitersAdmitted = Atomic(0)
    /// Fires when a lease of a paused pool ends, and when the pause ends.
    let leaseEnded = Broadcast()
    let supplies = Supplies()
    let sweeps = SweepRequests()
    /// The number of connections that are winding down.
    let windingDown = Atomic(0)
    let shrinking = Shrinking()
    let resting = Resting()
    /// The limit of the connection that was checked out last: how many callers the next one will probably serve. At first it is
    /// not known, and one connection is opened for all callers.
    let expectedLimit: Atomic<Int>
    /// The greatest number of leases that any connection may have now. Only the policy ``SharedLeasePolicy/fewestLeases`` changes
    /// it: see Spreading.swift.
    let leaseCap: Atomic<Int>

    @usableFromInline
    init(
        strategy: Strategy,
        configuration: ConnectionPoolConfiguration,
        policy: SharedLeasePolicy
    ) throws(ConnectionPoolError) {
        try configuration.validate()
        try configuration.validateForSharing()
        let alignment = MemoryLayout<Strategy.Connection>.alignment
        guard alignment <= 64 else {
            throw .invalidConfiguration(
                "The connection type \(Strategy.Connection.self) is aligned to \(alignment) bytes. A pool can align connections to at most 64 bytes.",
                poolName: configuration.name
            )
        }
        settings = SharingSettings(configuration, policy)
        expectedLimit = Atomic(settings.spreadsLeases ? 1 : Int.max)
        leaseCap = Atomic(settings.spreadsLeases ? 1 : Self.mostLeases)
        let retained = Unmanaged.passRetained(strategy)
        do {
            core = try Core(
                _PoolCoreConfiguration(
                    // The limits of the core count leases, whose number is limited by the connections.
                    limits: _PoolCoreLimits(
                        maxSize: ConnectionPoolConfiguration.largestSize,
                        hardLimit: ConnectionPoolConfiguration.largestSize
                    ),
                    keepsExcess: true,
                    maxWaiters: nil,
                    elementSize: settings.notesLeases
                        ? Self.recordOffset + MemoryLayout<LeaseRecord>.size : Self.recordOffset,
                    elementAlignment: max(
                        alignment,
                        MemoryLayout<Core.Lease>.alignment,
                        MemoryLayout<UInt64>.alignment
                    ),
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
        waits = WaitTable(tracksPlaces: settings.tracksPlaces)
        loadShedding = configuration.loadShedding.map { LoadShedding($0) }
        let sharing = SharingStrategy(strategy, poolName: configuration.name)
        do {
            connections = try Connections(
                strategy: sharing,
                configuration: configuration.forConnections(),
                stripes: nil,
                isShared: true
            )
        } catch {
            core.destroy()
            throw error
        }
        alarm.setOwner(self)
        sharing.setEngine(self)
        connections.sharing = self
        connections.refill()
    }

    deinit {
        // Leases, waiters and tasks that check out a connection all retain the engine, and idle leases were given up when the
        // pool was shut down or dropped. So nothing is left.
        core.destroy()
        alarm.silence()
    }

    var strategy: Strategy { unretainedStrategy.takeUnretainedValue() }

    @usableFromInline
    var configuration: ConnectionPoolConfiguration {
        var configuration = settings.configuration
        let limits = connections.configuration
        configuration.maxSize = limits.maxSize
        configuration.burstLimit = limits.burstLimit
        return configuration
    }
}

/// The parts of a configuration that the engine of the leases looks at.
@usableFromInline
struct SharingSettings: Sendable {
    let configuration: ConnectionPoolConfiguration
    /// Whether each lease keeps a record of its holder.
    let notesLeases: Bool
    /// Whether the record contains the place in the source.
    let tracksPlaces: Bool
    let reportsLeases: Bool
    let leakThreshold: UInt64?
    /// Whether a caller whose release leads to a close waits for it.
    @usableFromInline let throwsCloseErrors: Bool
    /// Whether the policy is ``SharedLeasePolicy/fewestLeases``.
    let spreadsLeases: Bool
    /// The time between two looks at the connections that are checked out; `.max` if none is needed.
    let lookInterval: UInt64

    init(_ configuration: ConnectionPoolConfiguration, _ policy: SharedLeasePolicy) {
        self.configuration = configuration
        spreadsLeases = policy == .fewestLeases
        tracksPlaces = configuration.leakThreshold != nil || configuration.tracksLeases
        reportsLeases = configuration.observer?.observesLeases ?? false
        notesLeases = tracksPlaces || reportsLeases
        leakThreshold = configuration.leakThreshold?.nanoseconds
        throwsCloseErrors = configuration.closeErrors == .thrown
        // A connection is returned at the second look that finds it unused: 1/16 of the shortest limit after its last use.
        let interval = MaintenanceSettings(configuration).interval
        lookInterval = interval == .max ? .max : max(interval / 2, MaintenanceSettings.shortestInterval)
    }

    @usableFromInline var name: String { configuration.name }
    @usableFromInline var acquireTimeout: Duration? { configuration.acquireTimeout }
}

/// The bits of ``SharedPoolEngine/attention``.
enum Attention {
    /// The lower half counts the connections with ``SharingState/losesLeases``.
    static let oneConnection: UInt64 = 1
    /// There may be more connections than `maxSize`.
    static let isBursting: UInt64 = 1 << 40
}

extension ConnectionPoolConfiguration {
    /// - Throws: ``ConnectionPoolError`` with `.invalidConfiguration`, if a setting makes no sense for shared connections.
    fileprivate func validateForSharing() throws(ConnectionPoolError) {
        if resetsConnections {
            throw .invalidConfiguration(
                "resetsConnections is true. A shared connection is not reset, because other callers use it at the same time.",
                poolName: name
            )
        }
        if detectsNestedAcquires {
            throw .invalidConfiguration(
                "detectsNestedAcquires is true. A pool of shared connections does not record which task holds a lease.",
                poolName: name
            )
        }
    }

    /// The configuration of the engine that holds the connections: without what concerns callers.
    fileprivate func forConnections() -> ConnectionPoolConfiguration {
        var configuration = self
        configuration.acquireTimeout = nil
        configuration.maxWaiters = nil
        configuration.loadShedding = nil
        configuration.leakThreshold = nil
        configuration.tracksLeases = false
        configuration.observer = observer.map { SharingObserver(base: $0) }
        return configuration
    }
}
