// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// A strategy that follows the test's script, and keeps its own books.
final class TestStrategy: ConnectionStrategy {
    struct Script: Sendable {
        /// Runs before a connection is made, with the number of the attempt, from 1. Throws to make the attempt fail.
        var open: @Sendable (Int) async throws -> Void = { _ in }
        var check: @Sendable (Remote) throws -> Bool = { $0.isClosed }
        var close: @Sendable (Remote) async throws -> Void = { _ in }
        var prepare: @Sendable (Remote) async throws -> Void = { _ in }
        var reset: @Sendable (Remote) async throws -> Void = { _ in }
        var validate: @Sendable (Remote) async throws -> Bool = { !$0.isClosed }
        var isPermanent: @Sendable (any Error) -> Bool = { _ in false }
        var verdict: @Sendable (any Error) -> ConnectionVerdict = { _ in .keep }
        var abort: (@Sendable (Remote) -> Void)?
        var lifetime: Duration?
    }

    struct Books: Sendable {
        var attempts = 0
        var failures = 0
        var opened = 0
        var closed = 0
        /// The number of connections that are opening, open or closing, as the server would count them.
        var slots = 0
        var peak = 0
        var checks = 0
        var closedIDs: [Int] = []
        /// The numbers of the validated connections, in order.
        var validated: [Int] = []
        var remotes: [Remote] = []
        var complaints: [String] = []

        var openNow: Int { opened - closed }
    }

    let hooks = CoreHooks()
    private let script = Mutex(Script())
    private let ledger = Mutex(Books())
    private let witness: Witness?

    init(witness: Witness? = nil) {
        self.witness = witness
    }

    deinit {
        witness?.testify()
    }

    var books: Books { ledger.withLock { $0 } }

    /// Returns the remote end of the n-th connection, from 1.
    func remote(_ number: Int) -> Remote { ledger.withLock { $0.remotes[number - 1] } }

    func onOpen(_ action: @escaping @Sendable (Int) async throws -> Void) { script.withLock { $0.open = action } }
    func onCheck(_ action: @escaping @Sendable (Remote) throws -> Bool) { script.withLock { $0.check = action } }
    func onClose(_ action: @escaping @Sendable (Remote) async throws -> Void) { script.withLock { $0.close = action } }

    func onPrepare(_ action: @escaping @Sendable (Remote) async throws -> Void) {
        script.withLock { $0.prepare = action }
    }
    func onReset(_ action: @escaping @Sendable (Remote) async throws -> Void) { script.withLock { $0.reset = action } }
    func onValidate(_ action: @escaping @Sendable (Remote) async throws -> Bool) {
        script.withLock { $0.validate = action }
    }
    func onAbort(_ action: @escaping @Sendable (Remote) -> Void) { script.withLock { $0.abort = action } }
    func limitLifetime(_ lifetime: Duration?) { script.withLock { $0.lifetime = lifetime } }
    func callPermanent(_ condition: @escaping @Sendable (any Error) -> Bool) {
        script.withLock { $0.isPermanent = condition }
    }
    func judge(_ verdict: @escaping @Sendable (any Error) -> ConnectionVerdict) {
        script.withLock { $0.verdict = verdict }
    }

    func followNoScript() { script.withLock { $0 = Script() } }

    // MARK: ConnectionStrategy

    func makeConnection() async throws -> sending TestConnection {
        let attempt = ledger.withLock { books in
            books.attempts += 1
            books.slots += 1
            books.peak = max(books.peak, books.slots)
            return books.attempts
        }
        do {
            try await script.withLock { $0.open }(attempt)
        } catch {
            ledger.withLock { books in
                books.failures += 1
                books.slots -= 1
            }
            throw error
        }
        let remote = ledger.withLock { books in
            books.opened += 1
            let remote = Remote(id: books.opened)
            books.remotes.append(remote)
            return remote
        }
        return TestConnection(remote)
    }

    func connectionIsClosed(_ connection: TestConnection) throws -> Bool {
        let remote = connection.remote
        remote.enter()
        defer { remote.exit() }
        ledger.withLock { $0.checks += 1 }
        return try script.withLock { $0.check }(remote)
    }

    func closeConnection(_ connection: sending TestConnection) async throws {
        let remote = connection.remote
        let isInUse = remote.isInUse
        let disposals = remote.dispose()
        ledger.withLock { books in
            if isInUse { books.complaints.append("connection \(remote.id) was closed while in use") }
            if disposals > 0 { books.complaints.append("connection \(remote.id) was closed more than once") }
            books.closedIDs.append(remote.id)
        }
        let close = script.withLock { $0.close }
        defer {
            ledger.withLock { books in
                books.closed += 1
                books.slots -= 1
            }
        }
        try await close(remote)
    }

    func prepareConnection(_ connection: inout TestConnection) async throws {
        let remote = connection.remote
        remote.enter()
        defer { remote.exit() }
        try await script.withLock { $0.prepare }(remote)
    }

    func resetConnection(_ connection: inout TestConnection) async throws {
        let remote = connection.remote
        remote.enter()
        defer { remote.exit() }
        try await script.withLock { $0.reset }(remote)
    }

    func validateConnection(_ connection: inout TestConnection) async throws -> Bool {
        let remote = connection.remote
        remote.enter()
        defer { remote.exit() }
        ledger.withLock { $0.validated.append(remote.id) }
        return try await script.withLock { $0.validate }(remote)
    }

    func connectErrorIsPermanent(_ error: any Error) -> Bool { script.withLock { $0.isPermanent }(error) }

    func connectionVerdict(after error: any Error) -> ConnectionVerdict {
        script.withLock { $0.verdict }(error)
    }

    func connectionLifetime(_ connection: TestConnection) -> Duration? { script.withLock { $0.lifetime } }

    func abortHandle(for connection: TestConnection) -> (@Sendable () -> Void)? {
        let remote = connection.remote
        guard let abort = script.withLock({ $0.abort }) else { return nil }
        return { abort(remote) }
    }

    /// The errors that the strategy has noticed.
    var complaints: [String] {
        ledger.withLock { books in
            books.complaints
                + books.remotes.filter(\.wasMisused).map {
                    "connection \($0.id) was used by two callers at the same time, or after it was closed"
                }
        }
    }
}

/// Outlives the object that it watches, and tells when that is deallocated.
final class Witness: Sendable {
    private let isGone = Atomic<Bool>(false)

    func testify() { isGone.store(true, ordering: .releasing) }
    var watchedIsGone: Bool { isGone.load(ordering: .acquiring) }
}

/// An error that a test recognises by its name.
struct TestError: Error, Hashable {
    let name: String
    init(_ name: String) { self.name = name }
}
