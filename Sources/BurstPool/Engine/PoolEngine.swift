import Synchronization

/// What a pool does, on a core of any kind: when to take, open, hand over and close.
///
/// The core keeps the books and the engine acts on them: it runs the strategy, suspends and resumes callers, and tells the
/// time. Not API: it is public so that benchmarks can run it on other cores.
///
/// All that makes a connection or a permit free ends in ``reconcile(mayCloseInline:)``, which pairs it with the oldest waiter.
public final class _PoolEngine<Strategy: ConnectionStrategy, Core: _PoolCore>: Sendable {
    @usableFromInline let core: Core
    /// Not retained here: the core holds the strategy until it is destroyed.
    @usableFromInline let unretainedStrategy: Unmanaged<Strategy>
    @usableFromInline let acquireTimeout: Duration?
    @usableFromInline let detectsNestedAcquires: Bool
    @usableFromInline let observer: (any ConnectionPoolObserver)?
    /// Whether there is an observer: to ask that itself would be to copy it.
    @usableFromInline let isObserved: Bool
    @usableFromInline let clock: PoolClock
    @usableFromInline let timer = PoolTimer()
    @usableFromInline let drained = Broadcast()
    @usableFromInline let loadShedding: LoadShedding?
    @usableFromInline let connectGate: ConnectGate?
    let settings: EngineSettings
    /// What each connection is marked with when it has opened.
    let initialFlags: ConnectionFlags
    let limits: PoolLimits
    let latestOpenError = LatestError()
    let connectAlarm = ConnectAlarm()
    let burst = BurstTracker()
    let maintenance: Maintenance
    /// Fires whenever an attempt to open a connection has ended.
    let openingEnded = Broadcast()
    let failedOpens = Atomic(0)
    /// Of those: unlike `latestOpenError`, not forgotten when another one has opened.
    let latestFailure = LatestError()
    /// Connections that were evicted, from 1; it may wrap.
    @usableFromInline let evictions = Atomic<UInt32>(0)
    /// Whether there is a stock to top up: from the start, or since the pool was first warmed.
    @usableFromInline let keepsMinimumIdle: Atomic<Bool>

    public init(strategy: Strategy, configuration: ConnectionPoolConfiguration) throws {
        try configuration.validate()
        let alignment = MemoryLayout<Strategy.Connection>.alignment
        guard alignment <= 64 else {
            throw ConnectionPoolError.invalidConfiguration(
                "\(Strategy.Connection.self) is aligned to \(alignment) bytes, but a pool places values at 64 at the most"
            )
        }
        var flags: ConnectionFlags = []
        if configuration.leakThreshold != nil { flags.insert(.isTracked) }
        if configuration.detectsNestedAcquires { flags.insert(.isOwned) }
        if let observer = configuration.observer {
            if observer.observesLeases { flags.insert(.isObserved) }
            if observer.countsIdleLeases { flags.insert(.isCounted) }
        }
        if configuration.resetsConnections { flags.insert(.isReset) }
        let keepsRecords = !flags.isDisjoint(with: .concernLease)
        let initialLimits = PoolLimits.Values(
            maxSize: configuration.maxSize,
            hardLimit: configuration.burstLimit ?? configuration.maxSize
        )
        let retained = Unmanaged.passRetained(strategy)
        do {
            core = try Core(
                _PoolCoreConfiguration(
                    maxSize: Self.coreMaxSize(initialLimits, configuration.burstLinger),
                    hardLimit: initialLimits.hardLimit,
                    maxWaiters: configuration.maxWaiters,
                    elementSize: keepsRecords ? Self.recordOffset + MemoryLayout<LeaseRecord>.size : Self.recordOffset,
                    elementAlignment: max(alignment, MemoryLayout<ConnectionHeader>.alignment),
                    owner: Unmanaged<AnyObject>.fromOpaque(retained.toOpaque())
                )
            )
        } catch {
            throw ConnectionPoolError(.outOfMemory, message: "the system has no memory for a pool")
        }
        unretainedStrategy = retained
        acquireTimeout = configuration.acquireTimeout
        detectsNestedAcquires = configuration.detectsNestedAcquires
        observer = configuration.observer
        isObserved = observer != nil
        clock = PoolClock(configuration.clock)
        loadShedding = configuration.loadShedding.map { LoadShedding($0) }
        connectGate = ConnectGate(configuration)
        settings = EngineSettings(configuration)
        initialFlags = flags
        limits = PoolLimits(initialLimits)
        keepsMinimumIdle = Atomic(settings.minimumIdle > 0)
        maintenance = Maintenance(interval: settings.maintenanceInterval)
        if settings.minimumIdle > 0 { startMaintenance() }
    }

    deinit {
        // Leases, connections that are being opened or closed, and callers that wait all hold the engine, and idle
        // connections were closed when the pool was shut down or dropped: nothing is left.
        core.destroy()
    }

    var strategy: Strategy { unretainedStrategy.takeUnretainedValue() }

    // MARK: Slots

    /// Where the connection is in a slot's element, behind its header.
    @inlinable
    static var connectionOffset: Int {
        let mask = MemoryLayout<Strategy.Connection>.alignment - 1
        return (MemoryLayout<ConnectionHeader>.size + mask) & ~mask
    }

    /// Where the record of the lease is, if there are any.
    @inlinable
    static var recordOffset: Int {
        let mask = MemoryLayout<LeaseRecord>.alignment - 1
        return (connectionOffset + MemoryLayout<Strategy.Connection>.size + mask) & ~mask
    }

    @inlinable @inline(__always)
    public func connection(of lease: Core.Lease) -> UnsafeMutablePointer<Strategy.Connection> {
        (core.element(of: lease) + Self.connectionOffset).assumingMemoryBound(to: Strategy.Connection.self)
    }

    @inlinable @inline(__always)
    func header(of lease: Core.Lease) -> UnsafeMutablePointer<ConnectionHeader> {
        core.element(of: lease).assumingMemoryBound(to: ConnectionHeader.self)
    }

    @inlinable @inline(__always)
    func record(of lease: Core.Lease) -> UnsafeMutablePointer<LeaseRecord> {
        (core.element(of: lease) + Self.recordOffset).assumingMemoryBound(to: LeaseRecord.self)
    }

    // MARK: Administration

    /// With a linger, excess connections are for the maintenance to close, and the core knows of none.
    private static func coreMaxSize(_ limits: PoolLimits.Values, _ linger: Duration?) -> Int {
        linger == nil ? limits.maxSize : limits.hardLimit
    }

    public func resize(maxSize: Int, burstLimit: Int?) throws {
        try ConnectionPoolConfiguration.validate(maxSize: maxSize, burstLimit: burstLimit)
        guard maxSize >= settings.minimumIdle else {
            throw ConnectionPoolError.invalidConfiguration(
                "maxSize is \(maxSize) and minimumIdle is \(settings.minimumIdle), but a pool keeps no more than maxSize connections"
            )
        }
        // What a shutdown at the same time makes of it is of no account.
        if core.isShutDown { throw ConnectionPoolError.poolShutDown(statistics) }
        limits.set(PoolLimits.Values(maxSize: maxSize, hardLimit: burstLimit ?? maxSize))
        // Two calls at once may come to the core in the other order: whoever comes there looks again, so that both end with
        // the limits that were set last.
        var wanted = limits.values
        var applied: PoolLimits.Values
        repeat {
            applied = wanted
            let coreMaxSize = Self.coreMaxSize(applied, settings.burstLinger)
            guard core.resize(maxSize: coreMaxSize, hardLimit: applied.hardLimit) else {
                throw ConnectionPoolError.poolShutDown(statistics)
            }
            wanted = limits.values
        } while wanted != applied
        noteTotal()
        reconcile()
        topUp()
        // For whoever warms the pool to more than it may have now.
        openingEnded.fire()
    }

    public var statistics: ConnectionPoolStatistics {
        var counts = core.counts
        if counts.maxSize > 0 {
            let limits = limits.values
            counts.maxSize = limits.maxSize
            counts.hardLimit = limits.hardLimit
        }
        var statistics = ConnectionPoolStatistics(counts)
        if initialFlags.contains(.isCounted) { statistics.idleLeases = idleLeases }
        return statistics
    }

    private var idleLeases: Int {
        var sum = 0
        var index = 0
        while let slot = core.slot(at: index) {
            sum += record(of: slot.lease).pointee.idleLeases.load(ordering: .relaxed)
            index += 1
        }
        return sum
    }
}

/// What of a configuration the engine looks at away from the hot path.
struct EngineSettings: Sendable {
    let minimumIdle: Int
    let idleTimeout: UInt64?
    let maxLifetime: UInt64?
    let lifetimeJitter: Double
    let burstLinger: Duration?
    let connectTimeout: Duration?
    let validateAfterIdle: UInt64?
    let validationTimeout: Duration
    let keepaliveInterval: UInt64?
    let closeTimeout: Duration?
    let closeErrors: ConnectionPoolConfiguration.CloseErrors
    let leakThreshold: UInt64?

    init(_ configuration: ConnectionPoolConfiguration) {
        minimumIdle = configuration.minimumIdle
        idleTimeout = configuration.idleTimeout?.nanoseconds
        maxLifetime = configuration.maxLifetime?.nanoseconds
        lifetimeJitter = configuration.lifetimeJitter
        burstLinger = configuration.burstLinger
        connectTimeout = configuration.connectTimeout
        validateAfterIdle = configuration.validateAfterIdle?.nanoseconds
        validationTimeout = configuration.validationTimeout
        keepaliveInterval = configuration.keepaliveInterval?.nanoseconds
        closeTimeout = configuration.closeTimeout
        closeErrors = configuration.closeErrors
        leakThreshold = configuration.leakThreshold?.nanoseconds
    }

    /// How often the maintenance has to look. `nil`: there is nothing to look for.
    var maintenanceInterval: UInt64? {
        let keptToAnEighth = [
            idleTimeout, burstLinger?.nanoseconds, validateAfterIdle, keepaliveInterval, leakThreshold,
        ]
        // What a time runs from is seen one look late at the most, and so is that it has run out.
        var intervals = keptToAnEighth.compactMap { $0 }.map { $0 / 16 }
        // Often enough for the jitter to spread what expires.
        if let maxLifetime { intervals.append(maxLifetime / 128) }
        // A pool whose server was away must not stay without the connections it shall have.
        if minimumIdle > 0 { intervals.append(1_000_000_000) }
        return intervals.min().map { max($0, 1_000_000) }
    }
}
