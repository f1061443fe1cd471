// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// A connection that several callers use at the same time, and that counts them.
final class SharedTestConnection: Sendable {
    let id: Int
    private let limit: Atomic<Int>
    private let closed = Atomic(false)
    private let users = Atomic(0)
    private let mostUsers = Atomic(0)
    private let disposals = Atomic(0)
    private let limitReport = Mutex<(@Sendable () -> Void)?>(nil)
    private let closeReport = Mutex<(@Sendable () -> Void)?>(nil)
    private let faults = Mutex<[String]>([])

    init(id: Int, limit: Int) {
        self.id = id
        self.limit = Atomic(limit)
    }

    // MARK: The server

    var leaseLimit: Int { limit.load(ordering: .acquiring) }

    /// The server changes the limit.
    func setLimit(_ newLimit: Int, isReported: Bool = true) {
        limit.store(newLimit, ordering: .releasing)
        if isReported { limitReport.withLock { $0 }?() }
    }

    var isClosed: Bool { closed.load(ordering: .acquiring) }

    /// The server closes the connection.
    func hangUp(isReported: Bool = false) {
        closed.store(true, ordering: .releasing)
        if isReported { closeReport.withLock { $0 }?() }
    }

    func onLimitChange(_ report: @escaping @Sendable () -> Void) { limitReport.withLock { $0 = report } }
    func onClose(_ report: @escaping @Sendable () -> Void) { closeReport.withLock { $0 = report } }

    // MARK: The callers

    var usersNow: Int { users.load(ordering: .acquiring) }
    var peak: Int { mostUsers.load(ordering: .acquiring) }
    var complaints: [String] { faults.withLock { $0 } }
    var isDisposedOf: Bool { disposals.load(ordering: .acquiring) > 0 }

    /// Begins to use the connection.
    func enter() {
        let now = users.add(1, ordering: .acquiringAndReleasing).newValue
        mostUsers.max(now, ordering: .relaxed)
        if isDisposedOf { complain("connection \(id) was used after it was closed") }
    }

    func exit() {
        users.subtract(1, ordering: .acquiringAndReleasing)
    }

    func use<Result>(_ body: () async throws -> Result) async rethrows -> Result {
        enter()
        defer { exit() }
        return try await body()
    }

    func dispose() {
        if disposals.add(1, ordering: .acquiringAndReleasing).oldValue > 0 {
            complain("connection \(id) was closed more than once")
        }
        if usersNow > 0 { complain("connection \(id) was closed while \(usersNow) callers used it") }
    }

    private func complain(_ what: String) { faults.withLock { $0.append(what) } }
}

/// A strategy for shared connections that follows the test's script, and keeps its own books.
final class SharedTestStrategy: SharedConnectionStrategy {
    struct Script: Sendable {
        /// Runs before a connection is made, with the number of the attempt, from 1. Throws to make the attempt fail.
        var open: @Sendable (Int) async throws -> Void = { _ in }
        var check: @Sendable (SharedTestConnection) throws -> Bool = { $0.isClosed }
        var close: @Sendable (SharedTestConnection) async throws -> Void = { _ in }
        var validate: @Sendable (SharedTestConnection) async throws -> Bool = { _ in true }
        var verdict: @Sendable (any Error) -> ConnectionVerdict = { _ in .keep }
        var abort: (@Sendable (SharedTestConnection) -> Void)?
        /// The limit of the connection with this number.
        var limit: @Sendable (Int) -> Int
    }

    struct Books: Sendable {
        var attempts = 0
        /// The number of connections that are opening, open or closing, as the server would count them.
        var slots = 0
        var peak = 0
        var closed: [Int] = []
        var validated: [Int] = []
        var connections: [SharedTestConnection] = []

        var opened: Int { connections.count }
        var openNow: Int { opened - closed.count }
    }

    private let script: Mutex<Script>
    private let ledger = Mutex(Books())
    private let witness: Witness?

    init(limit: Int, witness: Witness? = nil) {
        script = Mutex(Script(limit: { _ in limit }))
        self.witness = witness
    }

    deinit {
        witness?.testify()
    }

    var books: Books { ledger.withLock { $0 } }
    var complaints: [String] { books.connections.flatMap(\.complaints) }

    func change(_ change: (inout Script) -> Void) { script.withLock { change(&$0) } }

    /// Returns the n-th connection, from 1.
    func connection(_ number: Int) -> SharedTestConnection { ledger.withLock { $0.connections[number - 1] } }

    // MARK: SharedConnectionStrategy

    func makeConnection() async throws -> SharedTestConnection {
        let attempt = ledger.withLock { books in
            books.attempts += 1
            books.slots += 1
            books.peak = max(books.peak, books.slots)
            return books.attempts
        }
        do {
            try await script.withLock { $0.open }(attempt)
        } catch {
            ledger.withLock { $0.slots -= 1 }
            throw error
        }
        let limit = script.withLock { $0.limit }
        return ledger.withLock { books in
            let number = books.connections.count + 1
            let connection = SharedTestConnection(id: number, limit: limit(number))
            books.connections.append(connection)
            return connection
        }
    }

    func connectionIsClosed(_ connection: SharedTestConnection) throws -> Bool {
        try script.withLock { $0.check }(connection)
    }

    func closeConnection(_ connection: SharedTestConnection) async throws {
        connection.dispose()
        let close = script.withLock { $0.close }
        defer {
            ledger.withLock { books in
                books.closed.append(connection.id)
                books.slots -= 1
            }
        }
        try await close(connection)
    }

    func leaseLimit(of connection: SharedTestConnection) -> Int { connection.leaseLimit }

    func notifyWhenLeaseLimitChanges(
        _ connection: SharedTestConnection,
        _ leaseLimitDidChange: @escaping @Sendable () -> Void
    ) {
        connection.onLimitChange(leaseLimitDidChange)
    }

    func notifyWhenClosed(_ connection: SharedTestConnection, _ connectionDidClose: @escaping @Sendable () -> Void) {
        connection.onClose(connectionDidClose)
    }

    func validateConnection(_ connection: SharedTestConnection) async throws -> Bool {
        ledger.withLock { $0.validated.append(connection.id) }
        return try await script.withLock { $0.validate }(connection)
    }

    func connectionVerdict(after error: any Error) -> ConnectionVerdict { script.withLock { $0.verdict }(error) }

    func abortHandle(for connection: SharedTestConnection) -> (@Sendable () -> Void)? {
        guard let abort = script.withLock({ $0.abort }) else { return nil }
        return { abort(connection) }
    }
}
