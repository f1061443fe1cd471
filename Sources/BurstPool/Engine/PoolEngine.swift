import Synchronization

/// What a pool does, on a core of any kind: when to take, open, hand over and close.
///
/// The core keeps the books and the engine acts on them: it runs the strategy, suspends and resumes callers, and tells the
/// time. Not API: it is public so that benchmarks can run it on other cores.
///
/// All that makes a connection or a permit free ends in ``settle(mayCloseInline:)``, which pairs it with the oldest waiter.
public final class _PoolEngine<Strategy: ConnectionStrategy, Core: _PoolCore>: Sendable {
    @usableFromInline let core: Core
    /// Not retained here: the core holds the strategy until it is destroyed.
    @usableFromInline let unretainedStrategy: Unmanaged<Strategy>
    @usableFromInline let acquireTimeout: Duration?
    let closeErrors: ConnectionPoolConfiguration.CloseErrors
    let observer: (any ConnectionPoolObserver)?
    @usableFromInline let clock: PoolClock
    @usableFromInline let timer = PoolTimer()
    @usableFromInline let drained = DrainSignal()
    let latestOpenError = LatestError()
    @usableFromInline let connectTurns: ConnectTurns?

    public init(strategy: Strategy, configuration: ConnectionPoolConfiguration) throws {
        try configuration.validate()
        let alignment = MemoryLayout<Strategy.Connection>.alignment
        guard alignment <= 64 else {
            throw ConnectionPoolError.invalidConfiguration(
                "\(Strategy.Connection.self) is aligned to \(alignment) bytes, but a pool places values at 64 at the most"
            )
        }
        let retained = Unmanaged.passRetained(strategy)
        do {
            core = try Core(
                _PoolCoreConfiguration(
                    maxSize: configuration.maxSize,
                    hardLimit: configuration.burstLimit ?? configuration.maxSize,
                    elementSize: MemoryLayout<Strategy.Connection>.size,
                    elementAlignment: alignment,
                    owner: Unmanaged<AnyObject>.fromOpaque(retained.toOpaque())
                )
            )
        } catch {
            throw ConnectionPoolError(.outOfMemory, message: "the system has no memory for a pool")
        }
        unretainedStrategy = retained
        acquireTimeout = configuration.acquireTimeout
        closeErrors = configuration.closeErrors
        observer = configuration.observer
        clock = PoolClock(configuration.clock)
        connectTurns = configuration.maxConcurrentConnects.map { ConnectTurns(limit: $0) }
    }

    deinit {
        // Leases, connections that are being opened or closed, and callers that wait all hold the engine, and idle
        // connections were closed when the pool was shut down or dropped: nothing is left.
        core.destroy()
    }

    var strategy: Strategy { unretainedStrategy.takeUnretainedValue() }

    // MARK: Leasing

    @inlinable
    public func withConnection<Result>(
        timeout: Duration?,
        _ body: (inout sending Strategy.Connection) async throws -> sending Result
    ) async throws -> sending Result {
        let lease = try await acquire(timeout: timeout)
        let result: Result
        do {
            result = try await body(&connection(of: lease).pointee)
        } catch {
            await giveBackAfterFailure(lease)
            throw error
        }
        try await giveBack(lease)
        return result
    }

    @inlinable
    public func withConnection<Result>(
        timeout: Duration?,
        _ body: (inout sending Strategy.Connection) throws -> sending Result
    ) async throws -> sending Result {
        let lease = try await acquire(timeout: timeout)
        let result: Result
        do {
            result = try body(&connection(of: lease).pointee)
        } catch {
            await giveBackAfterFailure(lease)
            throw error
        }
        try await giveBack(lease)
        return result
    }

    @inlinable
    public func acquire(timeout: Duration?) async throws -> Core.Lease {
        if let idle = core.tryAcquire(), try isUsable(idle) { return idle }
        return try await acquireSlowly(timeout: timeout)
    }

    @inlinable
    func giveBack(_ lease: Core.Lease) async throws {
        if core.release(lease), let surplus = settle(mayCloseInline: true) { try await closeAfterReturn(surplus) }
    }

    @inlinable
    func giveBackAfterFailure(_ lease: Core.Lease) async {
        if core.release(lease), let surplus = settle(mayCloseInline: true) { await closeAfterFailure(surplus) }
    }

    @inlinable
    public func tryAcquire() -> Core.Lease? {
        while let idle = core.tryAcquire() {
            if (try? isUsable(idle)) == true { return idle }
        }
        return nil
    }

    @inlinable
    public func release(_ lease: Core.Lease) {
        if core.release(lease) { settle() }
    }

    @inlinable @inline(__always)
    public func connection(of lease: Core.Lease) -> UnsafeMutablePointer<Strategy.Connection> {
        core.element(of: lease).assumingMemoryBound(to: Strategy.Connection.self)
    }

    /// Whether this connection can be handed out. If not, it is on its way out, and the lease has ended.
    ///
    /// - Throws: `CancellationError`, if that is what the strategy threw.
    @inlinable
    func isUsable(_ lease: Core.Lease) throws -> Bool {
        do {
            let isClosed = try unretainedStrategy._withUnsafeGuaranteedRef {
                try $0.connectionIsClosed(connection(of: lease).pointee)
            }
            if !isClosed { return true }
        } catch {
            closeInBackground(lease)
            if error is CancellationError { throw error }
            return false
        }
        closeInBackground(lease)
        return false
    }

    // MARK: Administration

    public func resize(maxSize: Int, burstLimit: Int?) throws {
        try ConnectionPoolConfiguration.validate(maxSize: maxSize, burstLimit: burstLimit)
        guard core.resize(maxSize: maxSize, hardLimit: burstLimit ?? maxSize) else {
            throw ConnectionPoolError.poolShutDown(statistics)
        }
        settle()
    }

    public var statistics: ConnectionPoolStatistics { ConnectionPoolStatistics(core.counts) }
}
