// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// An observer that keeps the events that it receives.
final class EventRecorder: ConnectionPoolObserver {
    let observesLeases: Bool
    private let record = Shared<[ConnectionPoolEvent]>([])

    init(observesLeases: Bool = false) {
        self.observesLeases = observesLeases
    }

    var events: [ConnectionPoolEvent] { record.value }

    func connectionPool(_ event: ConnectionPoolEvent) { record.change { $0.append(event) } }
}
