// SPDX-License-Identifier: Apache-2.0

/// The rule of the pool's `connectDelay`, in simulated time.
///
/// Delays follow each other while callers wait, and at the end of each one, connections may be opened for all callers that had
/// joined before it began. So each caller waits for at least one delay and for at most two.
struct SimulatedConnectDelay: Sendable {
    /// In seconds; `nil` if there is no delay.
    private let length: Double?
    /// The number of callers that have joined, without those that left without a connection.
    private var joined = 0
    private var began: Double?
    private var joinedAtBegin = 0
    /// Callers with lower numbers than this have waited for long enough.
    private var matured = 0

    init(_ delay: Duration?) {
        length = delay?.inSeconds
    }

    mutating func noteJoin() { joined += 1 }
    mutating func noteLeave() { joined -= 1 }

    /// Returns the moment until which the oldest waiter has to wait, or `nil` if it has waited for long enough.
    ///
    /// - Parameter queued: The number of waiters for whom no connection is being opened.
    mutating func end(queued: Int, now: Double) -> Double? {
        guard let length, !oldestHasMatured(queued) else { return nil }
        if let start = began, now >= start + length {
            matured = joinedAtBegin
            began = nil
            if oldestHasMatured(queued) { return nil }
        }
        if let began { return began + length }
        began = now
        joinedAtBegin = joined
        return now + length
    }

    private func oldestHasMatured(_ queued: Int) -> Bool { queued == 0 || joined - queued < matured }
}
