/// What a pool asks of its strategy.
enum StrategyCall: String, CaseIterable, Sendable {
    case makeConnection, prepareConnection, connectionIsClosed, validateConnection, resetConnection, closeConnection
}

/// How one call of a strategy goes. The calls before and after it succeed.
struct Fault: Sendable, CustomStringConvertible {
    enum Behaviour: CaseIterable, Sendable {
        case succeeds, fails
        /// That the connection is closed, or not valid.
        case saysNo
        case failsAsCancelled
        /// Takes ``Fault/slowness``, whether it is cancelled or not.
        case slow
        /// Not before the test lets it go, whether it is cancelled or not.
        case neverReturns
        /// And succeeds then; not before.
        case returnsAfterCancellation
    }

    /// More than the caller's time, and less than the times that the pool allows its strategy.
    static let slowness = Duration.seconds(5)

    let call: StrategyCall
    let behaviour: Behaviour

    var description: String { "\(call) \(behaviour)" }

    static let all = StrategyCall.allCases.flatMap { call in
        Behaviour.allCases.filter { call.can($0) }.map { Fault(call: call, behaviour: $0) }
    }

    var isHeldUp: Bool { behaviour == .neverReturns || behaviour == .returnsAfterCancellation }
}

extension StrategyCall {
    /// Whether the pool cancels it when it has taken too long.
    var isCancelledInTime: Bool {
        self == .makeConnection || self == .prepareConnection || self == .validateConnection
    }

    func can(_ behaviour: Fault.Behaviour) -> Bool {
        switch behaviour {
        case .succeeds, .fails: true
        case .saysNo: self == .connectionIsClosed || self == .validateConnection
        case .failsAsCancelled: self == .connectionIsClosed
        // That one does not suspend.
        case .slow, .neverReturns, .returnsAfterCancellation: self != .connectionIsClosed
        }
    }
}
