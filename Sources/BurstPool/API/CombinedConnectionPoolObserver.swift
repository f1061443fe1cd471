/// Several observers for one pool, each told of all that it wants to know, in order.
///
/// ```swift
/// configuration.observer = CombinedConnectionPoolObserver([telemetry, datadog])
/// ```
public struct CombinedConnectionPoolObserver: ConnectionPoolObserver {
    private let observers: [any ConnectionPoolObserver]
    private let observersOfLeases: [any ConnectionPoolObserver]
    /// Whether one of them does.
    public let countsIdleLeases: Bool

    /// - Parameter observers: Whether each observes or counts leases is asked here, once. None at all is allowed.
    public init(_ observers: [any ConnectionPoolObserver]) {
        self.observers = observers
        observersOfLeases = observers.filter(\.observesLeases)
        countsIdleLeases = observers.contains(where: \.countsIdleLeases)
    }

    /// Whether one of them does. The others are not told of leases all the same.
    public var observesLeases: Bool { !observersOfLeases.isEmpty }

    public func connectionPool(_ event: ConnectionPoolEvent) {
        for observer in event.isOfLease ? observersOfLeases : observers {
            observer.connectionPool(event)
        }
    }
}

extension ConnectionPoolEvent {
    /// Whether it is told of only where leases are observed.
    fileprivate var isOfLease: Bool {
        switch self {
        case .acquired(.idle, _, _), .released: true
        default: false
        }
    }
}
