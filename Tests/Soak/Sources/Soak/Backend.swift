// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// A database server that runs for the soak, and the client for it whose connections the pools hold.
protocol Backend: Sendable {
    associatedtype Strategy: ConnectionStrategy
    /// The ways to use a connection.
    associatedtype Use: CaseIterable, Sendable

    /// The name of the database.
    static var name: String { get }
    /// Its protocol.
    static var wire: any WireFormat.Type { get }
    /// By how much the time limits of its connections are longer than the shortest ones, because a connection to it costs
    /// more.
    static var pace: Int { get }
    /// A use that costs little and that no caller disturbs.
    static var simplestUse: Use { get }

    /// Starts the server.
    init(sabotage: Sabotage?) async throws

    /// The path of the server's socket.
    var socketPath: String { get }
    /// The path for a socket of a proxy.
    var proxySocketPath: String { get }

    func stop()

    /// Kills the server, and starts it again.
    func restart(after pause: Duration) async throws

    /// Returns the ids of the connections at the server, except this object's own ones.
    func clients() async throws -> [Int]

    /// Lets the server end connections.
    ///
    /// - Returns: The number of connections that were ended.
    func kill(_ clients: [Int]) async throws -> Int

    func strategy(_ plan: LifePlan, _ endpoint: Endpoint) throws -> Strategy

    /// Uses a connection.
    ///
    /// - Returns: The number of replies, all of which were right.
    /// - Throws: ``Visit/WrongReply``, ``Visit/SpoiledReply``, and the errors of the connection.
    func perform(_ use: Use, _ visit: Visit, on connection: Strategy.Connection) async throws -> Int

    /// Returns the outcome for an error of the client, or `nil` if the error must not occur.
    static func outcome(of error: any Error) -> String?
}

/// Where a proxy can be reached.
enum Endpoint: Sendable {
    case socket(path: String)
    case port(Int)
}
