// SPDX-License-Identifier: Apache-2.0

public import BurstPool
import Synchronization

/// A strategy that does what a test tells it, and counts what the pool asks of it.
///
/// ```swift
/// let strategy = ScriptedStrategy { script in
///     script.open = { attempt in if attempt == 1 { throw ScriptedError("refused") } }
/// }
/// let pool = try ConnectionPool(strategy: strategy, maxSize: 2)
/// ```
///
/// The connections can be of any type. ``init(_:)`` uses numbers as connections: the connection of the first attempt is 1. A
/// test can change the script at any time with ``change(_:)``. The change applies to calls that begin after it.
public final class ScriptedStrategy<Connection>: ConnectionStrategy {
    /// What the strategy does. By default everything succeeds at once.
    public struct Script: Sendable {
        /// Runs before a connection is made, with the number of the attempt, from 1. An error makes the attempt fail.
        public var open: @Sendable (_ attempt: Int) async throws -> Void = { _ in }
        /// See `ConnectionStrategy.prepareConnection(_:)`.
        public var prepare: @Sendable (inout Connection) async throws -> Void = { _ in }
        /// See `ConnectionStrategy.connectionIsClosed(_:)`.
        public var isClosed: @Sendable (Connection) throws -> Bool = { _ in false }
        /// See `ConnectionStrategy.validateConnection(_:)`.
        public var validate: @Sendable (inout Connection) async throws -> Bool = { _ in true }
        /// See `ConnectionStrategy.resetConnection(_:)`.
        public var reset: @Sendable (inout Connection) async throws -> Void = { _ in }
        /// See `ConnectionStrategy.closeConnection(_:)`.
        public var close: @Sendable (Connection) async throws -> Void = { _ in }
        /// See `ConnectionStrategy.connectErrorIsPermanent(_:)`.
        public var isPermanent: @Sendable (any Error) -> Bool = { _ in false }
        /// See `ConnectionStrategy.connectionVerdict(after:)`.
        public var verdict: @Sendable (any Error) -> ConnectionVerdict = { _ in .keep }
        /// See `ConnectionStrategy.connectionLifetime(_:)`.
        public var lifetime: @Sendable (Connection) -> Duration? = { _ in nil }
        /// See `ConnectionStrategy.abortHandle(for:)`.
        public var abortHandle: @Sendable (Connection) -> (@Sendable () -> Void)? = { _ in nil }
    }

    /// What the pool has asked of the strategy so far.
    public struct Counts: Sendable, Hashable {
        /// The number of attempts to open a connection.
        public fileprivate(set) var attempts = 0
        /// The number of attempts that have failed.
        public fileprivate(set) var failures = 0
        /// The number of connections that have opened.
        public fileprivate(set) var opened = 0
        /// The number of connections that the pool has passed to `closeConnection`.
        public fileprivate(set) var closed = 0
        /// The number of validations.
        public fileprivate(set) var validations = 0
        /// The number of resets.
        public fileprivate(set) var resets = 0

        /// The number of connections that are open now.
        public var openNow: Int { opened - closed }
    }

    private struct State {
        var script: Script
        var counts = Counts()
        var closeReports: [@Sendable () -> Void] = []
    }

    private let state: Mutex<State>
    private let connect: @Sendable (Int) async throws -> sending Connection

    /// Creates a strategy for connections of any type.
    ///
    /// - Parameters:
    ///   - connect: Makes a connection. It gets the number of the attempt, from 1.
    ///   - change: Changes the script.
    public init(
        connect: @escaping @Sendable (_ attempt: Int) async throws -> sending Connection,
        _ change: (inout Script) -> Void = { _ in }
    ) {
        var script = Script()
        change(&script)
        state = Mutex(State(script: script))
        self.connect = connect
    }

    /// Creates a strategy whose connections are the numbers of their attempts.
    public convenience init(_ change: (inout Script) -> Void = { _ in }) where Connection == Int {
        self.init(connect: { $0 }, change)
    }

    /// What the pool has asked of the strategy so far.
    public var counts: Counts { state.withLock { $0.counts } }

    /// Changes the script.
    public func change(_ body: (inout Script) -> Void) {
        var script = script
        body(&script)
        let changed = script
        state.withLock { $0.script = changed }
    }

    /// Reports to the pool that a connection has closed by itself, as a client with a close future does.
    ///
    /// - Parameter number: The number of the connection, counted from 1 in the order in which connections have opened.
    public func reportClose(ofConnection number: Int) {
        let report = state.withLock { $0.closeReports.indices.contains(number - 1) ? $0.closeReports[number - 1] : nil }
        report?()
    }

    private var script: Script { state.withLock { $0.script } }

    private func count(_ change: (inout Counts) -> Void) {
        state.withLock { change(&$0.counts) }
    }

    // MARK: ConnectionStrategy

    public func makeConnection() async throws -> sending Connection {
        let attempt = state.withLock { state in
            state.counts.attempts += 1
            return state.counts.attempts
        }
        do {
            try await script.open(attempt)
            let connection = try await connect(attempt)
            count { $0.opened += 1 }
            return connection
        } catch {
            count { $0.failures += 1 }
            throw error
        }
    }

    public func prepareConnection(_ connection: inout Connection) async throws {
        try await script.prepare(&connection)
    }

    public func connectionIsClosed(_ connection: Connection) throws -> Bool {
        try script.isClosed(connection)
    }

    public func validateConnection(_ connection: inout Connection) async throws -> Bool {
        count { $0.validations += 1 }
        return try await script.validate(&connection)
    }

    public func resetConnection(_ connection: inout Connection) async throws {
        count { $0.resets += 1 }
        try await script.reset(&connection)
    }

    public func closeConnection(_ connection: sending Connection) async throws {
        count { $0.closed += 1 }
        try await script.close(connection)
    }

    public func connectErrorIsPermanent(_ error: any Error) -> Bool { script.isPermanent(error) }

    public func connectionVerdict(after error: any Error) -> ConnectionVerdict { script.verdict(error) }

    public func connectionLifetime(_ connection: Connection) -> Duration? { script.lifetime(connection) }

    public func abortHandle(for connection: Connection) -> (@Sendable () -> Void)? { script.abortHandle(connection) }

    public func notifyWhenClosed(_ connection: Connection, _ connectionDidClose: @escaping @Sendable () -> Void) {
        state.withLock { $0.closeReports.append(connectionDidClose) }
    }
}

/// An error that a test recognizes by its description.
public struct ScriptedError: Error, Hashable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}
