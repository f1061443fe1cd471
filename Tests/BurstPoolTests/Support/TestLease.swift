// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// A lease that tests can keep in arrays and pass between tasks. The test must use it correctly.
class TestLease<Connection>: @unchecked Sendable {
    private let isOut = Atomic<Bool>(true)
    /// The number of the connection, if it is a ``TestConnection``. Also known after the lease has ended.
    private(set) final var id = 0

    final var connection: Connection {
        get { read() }
        set { write(newValue) }
    }

    final func release() {
        guard isOut.exchange(false, ordering: .acquiringAndReleasing) else { return }
        end()
    }

    /// Ends the lease, and makes the pool close the connection.
    final func discard() {
        guard isOut.exchange(false, ordering: .acquiringAndReleasing) else { return }
        endDiscarding()
    }

    /// Ends the lease, and removes the connection from the pool.
    final func detach() -> Connection? {
        guard isOut.exchange(false, ordering: .acquiringAndReleasing) else { return nil }
        return endDetaching()
    }

    fileprivate final func begin() {
        guard let connection = read() as? TestConnection else { return }
        id = connection.id
        connection.remote.enter()
    }

    fileprivate func read() -> Connection { fatalError("abstract") }
    fileprivate func write(_ connection: Connection) { fatalError("abstract") }
    fileprivate func end() { fatalError("abstract") }
    fileprivate func endDiscarding() { fatalError("abstract") }
    fileprivate func endDetaching() -> Connection { fatalError("abstract") }
}

final class EngineLease<Strategy: ConnectionStrategy, Core: _PoolCore>: TestLease<Strategy.Connection>,
    @unchecked Sendable
{
    private let engine: _PoolEngine<Strategy, Core>
    private let lease: Core.Lease

    init(_ engine: _PoolEngine<Strategy, Core>, _ lease: Core.Lease) {
        self.engine = engine
        self.lease = lease
        super.init()
        begin()
    }

    deinit {
        release()
    }

    override fileprivate func read() -> Strategy.Connection { engine.connection(of: lease).pointee }
    override fileprivate func write(_ connection: Strategy.Connection) {
        engine.connection(of: lease).pointee = connection
    }
    override fileprivate func end() {
        (read() as? TestConnection)?.remote.exit()
        engine.release(lease)
    }
    override fileprivate func endDiscarding() {
        (read() as? TestConnection)?.remote.exit()
        engine.discard(lease)
        engine.release(lease)
    }
    override fileprivate func endDetaching() -> Strategy.Connection {
        let connection = engine.detach(lease)
        (connection as? TestConnection)?.remote.exit()
        engine.release(lease)
        return connection
    }
}

final class PublicLease<Strategy: ConnectionStrategy>: TestLease<Strategy.Connection>, @unchecked Sendable {
    private var lease: ConnectionLease<Strategy>?

    init(_ lease: consuming ConnectionLease<Strategy>) {
        self.lease = consume lease
        super.init()
        begin()
    }

    deinit {
        release()
    }

    override fileprivate func read() -> Strategy.Connection { lease!.connection }
    override fileprivate func write(_ connection: Strategy.Connection) { lease!.connection = connection }
    override fileprivate func end() {
        (read() as? TestConnection)?.remote.exit()
        lease.take()?.release()
    }
    override fileprivate func endDiscarding() {
        (read() as? TestConnection)?.remote.exit()
        lease.take()?.discard()
    }
    override fileprivate func endDetaching() -> Strategy.Connection {
        (read() as? TestConnection)?.remote.exit()
        guard let lease = lease.take() else { fatalError("the lease has ended") }
        return lease.detach()
    }
}
