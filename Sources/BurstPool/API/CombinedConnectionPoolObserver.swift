// SPDX-License-Identifier: Apache-2.0

/// Several observers of one pool. Each receives the events it asks for, in the order of the observers.
///
/// ```swift
/// configuration.observer = CombinedConnectionPoolObserver([telemetry, datadog])
/// ```
public struct CombinedConnectionPoolObserver: ConnectionPoolObserver {
    private let observers: [any ConnectionPoolObserver]
    private let observersOfLeases: [any ConnectionPoolObserver]
    /// Whether one of the observers counts leases.
    public let countsIdleLeases: Bool

    /// Combines observers. Whether they observe or count leases is asked here, once. The array may be empty.
    public init(_ observers: [any ConnectionPoolObserver]) {
        self.observers = observers
        observersOfLeases = observers.filter(\.observesLeases)
        countsIdleLeases = observers.contains(where: \.countsIdleLeases)
    }

    /// Whether one of the observers observes leases. The others do not receive events of leases.
    public var observesLeases: Bool { !observersOfLeases.isEmpty }

    public func connectionPool(named name: String, did event: ConnectionPoolEvent) {
        for observer in event.isOfLease ? observersOfLeases : observers {
            observer.connectionPool(named: name, did: event)
        }
    }
}

extension ConnectionPoolEvent {
    /// Whether only observers of leases receive the event.
    fileprivate var isOfLease: Bool {
        switch self {
        case .acquired(.idle, _, _), .released: true
        default: false
        }
    }
}
