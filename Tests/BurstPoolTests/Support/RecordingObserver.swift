// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// Records the events of a pool.
final class RecordingObserver: ConnectionPoolObserver {
    let observesLeases: Bool
    private let record = Shared<[ConnectionPoolEvent]>([])

    init(observesLeases: Bool = false) {
        self.observesLeases = observesLeases
    }

    var events: [ConnectionPoolEvent] { record.value }

    func connectionPool(_ event: ConnectionPoolEvent) {
        record.change { $0.append(event) }
    }

    /// Returns the values of all events of one kind.
    func all<Value>(_ value: (ConnectionPoolEvent) -> Value?) -> [Value] {
        events.compactMap(value)
    }

    var openErrors: [TestError] {
        all { if case .openFailed(let error, _, _, _) = $0 { TestError(of: error) } else { nil } }
    }

    var closeErrors: [TestError] {
        all { if case .closed(_, let error?) = $0 { TestError(of: error) } else { nil } }
    }

    var breakerStates: [ConnectionCircuitBreaker.State] {
        all { if case .breakerChanged(let state) = $0 { state } else { nil } }
    }

    /// The kinds of all events, in order.
    var kinds: [String] {
        events.map { String("\($0)".prefix { $0 != "(" }) }
    }

    func count(_ kind: String) -> Int { kinds.count { $0 == kind } }

    var closeReasons: [ConnectionCloseReason] {
        all { if case .closed(let reason, _) = $0 { reason } else { nil } }
    }
}

extension TestError {
    init(of error: any Error) {
        self = error as? TestError ?? TestError("\(error)")
    }
}
