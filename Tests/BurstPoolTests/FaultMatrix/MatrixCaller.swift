// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// A caller of `withConnection`, in its own task, that keeps the connection until the test lets it return.
final class MatrixCaller: Sendable {
    private enum State {
        case waiting, using, returning
        case ended(CallerOutcome)
    }

    private let state = Shared(State.waiting)
    private let executor = ObservedExecutor()
    private let returnGate = Gate()
    private let task = Shared<Task<Void, Never>?>(nil)

    init(_ pool: TestPool, timeout: Duration? = nil, keeps: Bool = true) {
        if !keeps { returnGate.open() }
        task.set(
            Task(executorPreference: executor) { [state, returnGate] in
                do {
                    try await pool.withConnection(timeout: timeout.map { .after($0) } ?? .unlimited) { connection in
                        state.set(.using)
                        await connection.use { await returnGate.pass() }
                        state.set(.returning)
                    }
                    state.set(.ended(.served))
                } catch {
                    state.set(.ended(CallerOutcome(error)))
                }
            }
        )
    }

    var isSuspended: Bool { executor.isSuspended }
    var isUsing: Bool { if case .using = state.value { true } else { false } }
    /// The outcome, or `nil` if the call has not ended.
    var outcome: CallerOutcome? { if case .ended(let outcome) = state.value { outcome } else { nil } }

    func mayReturn() { returnGate.open() }
    func cancel() { task.value?.cancel() }
}

extension CallerOutcome {
    init(_ error: any Error) {
        switch error {
        case is CancellationError: self = .cancelled
        case FaultScript.error as TestError: self = .strategyError
        case let error as ConnectionPoolError:
            switch error.code {
            case .acquireTimedOut: self = .timedOut
            case .poolShutDown: self = .shutDown
            case .connectTimedOut: self = .connectTimedOut
            default: self = .other("\(error)")
            }
        default: self = .other("\(error)")
        }
    }
}
