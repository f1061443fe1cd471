// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import BurstPoolRedisServer
import Synchronization
import Testing

/// The server for all tests that neither configure nor damage it. It ends with the process.
private let sharedServer = Result { try RedisServer() }

/// Opens a connection to the shared server.
func connect(_ change: (inout RedisConfiguration) -> Void = { _ in }) async throws -> sending RedisConnection {
    try await sharedStrategy(change).makeConnection()
}

func sharedStrategy(_ change: (inout RedisConfiguration) -> Void = { _ in }) throws -> RedisConnectionStrategy {
    var configuration = RedisConfiguration(unixSocketPath: try sharedServer.get().socketPath)
    change(&configuration)
    return try RedisConnectionStrategy(configuration: configuration)
}

/// A key that no other test uses.
func uniqueKey(_ name: String = #function) -> String {
    "\(name)-\(UInt64.random(in: 0 ... .max))"
}

/// Waits until a condition holds, for at most 60 seconds.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(60)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return false
}

/// Runs code that must throw a `RedisError`, and returns the error.
func redisError(of body: () async throws -> Void, _ location: SourceLocation = #_sourceLocation) async -> RedisError? {
    do {
        try await body()
        Issue.record("No error was thrown.", sourceLocation: location)
    } catch let error as RedisError {
        return error
    } catch {
        Issue.record("The error is not a RedisError: \(error)", sourceLocation: location)
    }
    return nil
}

/// Passes a connection to another task, so that the task can be cancelled and the connection used afterwards.
///
/// This is safe because the test awaits the task before it uses the connection again, which the compiler cannot see.
struct UncheckedConnection: @unchecked Sendable {
    let connection: RedisConnection
}

/// A counter for any thread.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .acquiring) }

    func add(_ number: Int) { count.add(number, ordering: .acquiringAndReleasing) }
}
