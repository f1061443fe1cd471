import BurstPool

/// A strategy whose connections are numbers, and which does as the test tells it.
final class ScriptedStrategy: ConnectionStrategy {
    struct Script: Sendable {
        /// Runs before a connection is made, with the number of the attempt, from 1; throws to make it fail.
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

    /// How many connections are open.
    var openNow: Int { opened.value - closed.value }
    /// How many attempts there were to open one.
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

/// An error with a name, to be recognised by.
struct ScriptedError: Error, Hashable, CustomStringConvertible {
    let description: String
    init(_ description: String) { self.description = description }
}
