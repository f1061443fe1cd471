// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolPostgres
import BurstPoolPostgresServer
import Foundation
import Synchronization
import Testing

/// The server that all tests share which do not stop or reconfigure it. It ends with the process.
private let shared = Result { try PostgresServer() }

var sharedServer: PostgresServer {
    get throws { try shared.get() }
}

/// A strategy for the shared server, over TCP without TLS unless changed.
func sharedStrategy(_ change: (inout PostgresConfiguration) -> Void = { _ in }) throws -> PostgresConnectionStrategy {
    try strategy(for: sharedServer, change)
}

func strategy(
    for server: PostgresServer,
    _ change: (inout PostgresConfiguration) -> Void = { _ in }
) throws -> PostgresConnectionStrategy {
    var configuration = try PostgresConfiguration(url: server.url)
    configuration.parameters["sslmode"] = "disable"
    // Generous, because a busy machine may start a server process late. Tests of these limits set their own.
    configuration.connectTimeout = .seconds(60)
    configuration.cancellationTimeout = .seconds(60)
    change(&configuration)
    return try PostgresConnectionStrategy(configuration: configuration)
}

/// Opens a connection to the shared server.
func connect(_ change: (inout PostgresConfiguration) -> Void = { _ in }) async throws -> sending PostgresConnection {
    try await sharedStrategy(change).makeConnection()
}

/// A name that no other test uses.
func uniqueName() -> String {
    "t\(UInt64.random(in: 0 ... .max))"
}

/// Runs something slow that blocks its thread, such as the start of a server, on a thread of its own. On Swift's cooperative
/// threads it would keep the other tests from going on, which have time limits.
func blocking<Result: Sendable>(_ body: @escaping @Sendable () throws -> Result) async throws -> Result {
    try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Swift.Result { try body() }) }
    }
}

/// Waits until a condition holds. Gives up after 60 seconds.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return false
}

/// Runs something that must fail, and returns its error.
func postgresError<Result>(
    _ location: SourceLocation = #_sourceLocation,
    of body: () async throws -> Result
) async -> PostgresError? {
    do {
        _ = try await body()
        Issue.record("Nothing was thrown.", sourceLocation: location)
    } catch let error as PostgresError {
        return error
    } catch {
        Issue.record("Not a PostgresError: \(error)", sourceLocation: location)
    }
    return nil
}

/// Hands a connection to a task of its own, so that one task can be cancelled and another uses the connection afterwards.
///
/// The compiler does not see that they take turns; the test awaits the task before it goes on.
struct Transferred: @unchecked Sendable {
    let connection: PostgresConnection
}

/// Counts from any thread.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .acquiring) }

    func add(_ number: Int = 1) { count.add(number, ordering: .acquiringAndReleasing) }
}

/// Collects numbers from any thread.
final class NumberSet: Sendable {
    private let numbers = Mutex<Set<Int>>([])

    var all: Set<Int> { numbers.withLock { $0 } }

    func insert(_ number: Int) { numbers.withLock { _ = $0.insert(number) } }
}
