// SPDX-License-Identifier: Apache-2.0

/// The calls of a strategy.
enum StrategyCall: String, CaseIterable, Sendable {
    case makeConnection, prepareConnection, connectionIsClosed, validateConnection, resetConnection, closeConnection
}

/// How one call of a strategy behaves. The calls before and after it succeed.
struct Fault: Sendable, CustomStringConvertible {
    enum Behaviour: CaseIterable, Sendable {
        case succeeds, fails
        /// The call says that the connection is closed, or not valid.
        case saysNo
        case failsAsCancelled
        /// Takes ``Fault/slowness``, and ignores cancellation.
        case slow
        /// Does not return before the test allows it, and ignores cancellation.
        case neverReturns
        /// Succeeds after it was cancelled, and not earlier.
        case returnsAfterCancellation
    }

    /// More than the caller's timeout, and less than the time limits of the strategy's calls.
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
    /// Whether the pool cancels the call when it exceeds its time limit.
    var isCancelledInTime: Bool {
        self == .makeConnection || self == .prepareConnection || self == .validateConnection
    }

    func can(_ behaviour: Fault.Behaviour) -> Bool {
        switch behaviour {
        case .succeeds, .fails: true
        case .saysNo: self == .connectionIsClosed || self == .validateConnection
        case .failsAsCancelled: self == .connectionIsClosed
        // This call does not suspend.
        case .slow, .neverReturns, .returnsAfterCancellation: self != .connectionIsClosed
        }
    }
}
