import BurstPool

/// A strategy whose connections are numbers and whose behavior a test defines.
final class ScriptedStrategy: ConnectionStrategy {
    struct Script: Sendable {
        /// Runs before a connection is made, with the number of the attempt starting at 1. An error makes the attempt fail.
        var open: @Sendable (Int) async throws -> Void = { _ in }
        var close: @Sendable (Int) async throws -> Void = { _ in }
        var abort: (@Sendable (Int) -> Void)?
        var errorsArePermanent = false
    }

    typealias Connection = Int

    private let script: Script
    private let attempts = Shared(0)
    private let opened = Shared(0)
    private let closed = Shared(0)

    init(_ change: (inout Script) -> Void = { _ in }) {
        var script = Script()
        change(&script)
        self.script = script
    }

    /// The number of open connections.
    var openNow: Int { opened.value - closed.value }
    /// The number of attempts to open a connection.
    var attemptsSoFar: Int { attempts.value }

    func makeConnection() async throws -> sending Int {
        let number = attempts.countUp() + 1
        try await script.open(number)
        opened.countUp()
        return number
    }

    func connectionIsClosed(_ connection: Int) -> Bool { false }

    func closeConnection(_ connection: Int) async throws {
        closed.countUp()
        try await script.close(connection)
    }

    func connectErrorIsPermanent(_ error: any Error) -> Bool { script.errorsArePermanent }

    func abortHandle(for connection: Int) -> (@Sendable () -> Void)? {
        guard let abort = script.abort else { return nil }
        return { abort(connection) }
    }
}

/// An error that a test recognizes by its name.
struct ScriptedError: Error, Hashable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
