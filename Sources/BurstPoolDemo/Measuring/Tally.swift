// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// The counts of one task. They are merged when all tasks have finished, so that the tasks share no memory.
struct Tally: Sendable {
    struct Latencies: Sendable {
        /// From the call of the pool to the lease.
        var acquire = LatencyHistogram()
        /// From the call of the pool to the release, including the check of the reply.
        var request = LatencyHistogram()
    }

    var commands = 0
    /// The number of requests that the demo cancelled.
    var cancelled = 0
    /// The numbers of expected and unexpected errors by kind.
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

    /// The latencies of all phases together.
    var allLatencies: Latencies {
        latencies.reduce(into: Latencies()) { sum, phase in
            sum.acquire.merge(phase.acquire)
            sum.request.merge(phase.request)
        }
    }
}

/// Returns the kind under which an error is counted.
func kind(of error: any Error) -> String {
    switch error {
    case let error as any ClientError: error.kind
    case let error as ConnectionPoolError: "ConnectionPoolError.\(error.code)"
    default: "\(type(of: error))"
    }
}

/// Returns a description of an error in one line.
func describe(_ error: any Error) -> String {
    (error as? any ClientError)?.line ?? "\(error)"
}
