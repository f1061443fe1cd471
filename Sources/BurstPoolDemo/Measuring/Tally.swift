import BurstPool
import BurstPoolRedis

/// What a task counts while it runs; merged when all have finished, so that counting costs no sharing.
struct Tally: Sendable {
    struct Latencies: Sendable {
        /// From asking for a connection to having it.
        var acquire = LatencyHistogram()
        /// From asking for a connection to having given it back, the reply checked.
        var request = LatencyHistogram()
    }

    var commands = 0
    /// Requests that were cancelled on purpose.
    var cancelled = 0
    /// By kind: those that belong to the run, and those that do not.
    var expectedErrors: [String: Int] = [:]
    var unexpectedErrors: [String: Int] = [:]
    var wrongReplies: [String] = []
    private(set) var latencies = Array(repeating: Latencies(), count: Phase.allCases.count)

    mutating func record(_ phase: Phase, acquire: Duration, request: Duration) {
        latencies[phase.rawValue].acquire.record(acquire)
        latencies[phase.rawValue].request.record(request)
    }

    mutating func count(_ error: any Error, isExpected: Bool) {
        if isExpected {
            expectedErrors[kind(of: error), default: 0] += 1
        } else {
            unexpectedErrors[kind(of: error), default: 0] += 1
        }
    }

    mutating func merge(_ other: Tally) {
        commands += other.commands
        cancelled += other.cancelled
        expectedErrors.merge(other.expectedErrors, uniquingKeysWith: +)
        unexpectedErrors.merge(other.unexpectedErrors, uniquingKeysWith: +)
        wrongReplies += other.wrongReplies
        for phase in latencies.indices {
            latencies[phase].acquire.merge(other.latencies[phase].acquire)
            latencies[phase].request.merge(other.latencies[phase].request)
        }
    }

    /// Of all phases.
    var allLatencies: Latencies {
        latencies.reduce(into: Latencies()) { sum, phase in
            sum.acquire.merge(phase.acquire)
            sum.request.merge(phase.request)
        }
    }
}

/// The kind of an error, for counting.
func kind(of error: any Error) -> String {
    switch error {
    case let error as RedisError: "RedisError.\(error.code)"
    case let error as ConnectionPoolError: "ConnectionPoolError.\(error.code)"
    default: "\(type(of: error))"
    }
}

/// An error in a line, for people.
func describe(_ error: any Error) -> String {
    switch error {
    case let error as RedisError: "RedisError.\(error)"
    default: "\(error)"
    }
}
