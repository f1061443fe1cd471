// SPDX-License-Identifier: Apache-2.0

/// Carries out the exercises of one task, and checks every reply against a value that only this task can expect.
///
/// It is a `Sendable` value, because `withConnection` does not pass a connection to an object that could keep it.
protocol Exerciser<Connection>: Sendable {
    associatedtype Connection

    /// The values that the task has written.
    var ledger: Ledger { get }

    /// Carries out an exercise, and returns the number of correctly answered commands.
    ///
    /// - Throws: ``WrongReply``, or an error of the connection. The ledger then knows which values are uncertain.
    mutating func perform(_ exercise: Exercise, on connection: Connection) async throws -> Int
}
