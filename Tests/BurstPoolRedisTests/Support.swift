import BurstPoolRedis
import BurstPoolRedisServer
import Synchronization
import Testing

/// The server that all tests share which neither configure it nor harm it. Ends with the process.
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

/// Waits until a condition holds; after 20 seconds without, it gives up.
func eventually(_ condition: () async throws -> Bool) async throws -> Bool {
    let deadline = ContinuousClock.now + .seconds(20)
    while ContinuousClock.now < deadline {
        if try await condition() { return true }
        try await Task.sleep(for: .milliseconds(5))
    }
    return false
}

/// Runs something that must fail, and returns its error.
func redisError(of body: () async throws -> Void, _ location: SourceLocation = #_sourceLocation) async -> RedisError? {
    do {
        try await body()
        Issue.record("nothing was thrown", sourceLocation: location)
    } catch let error as RedisError {
        return error
    } catch {
        Issue.record("not a RedisError: \(error)", sourceLocation: location)
    }
    return nil
}

/// Lends a connection to a task of its own, so that the one can be cancelled and the other used afterwards.
///
/// The compiler does not see that they take turns; the test awaits the task before it goes on.
struct Lent: @unchecked Sendable {
    let connection: RedisConnection
}

/// Counts from any thread.
final class Counter: Sendable {
    private let count = Atomic<Int>(0)

    var value: Int { count.load(ordering: .acquiring) }

    func add(_ number: Int) { count.add(number, ordering: .acquiringAndReleasing) }
}
