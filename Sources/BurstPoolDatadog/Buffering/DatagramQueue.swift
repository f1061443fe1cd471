// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Packs messages into datagrams, and queues the datagrams for sending.
///
/// Any thread appends, and one task sends. Appending copies a finished message under a lock, which takes some tens of
/// nanoseconds. Once per datagram it also allocates memory and wakes the sending task. The lock is not on the pool's fast path,
/// and no foreign code runs under it.
///
/// The number of datagrams is limited. If the queue is full, messages that do not fit into the current datagram are dropped,
/// so memory does not grow while the agent is unreachable, and appending never waits.
final class DatagramQueue: Sendable {
    /// Work for the sending task.
    struct Batch {
        var datagrams: [Datagram]
        /// Callers that wait until these datagrams and all earlier ones have been sent or dropped.
        var waiters: [UnsafeContinuation<Void, Never>]
    }

    fileprivate struct State {
        /// The datagram to which messages are appended.
        var current = Datagram()
        /// Full datagrams that the sending task has not taken yet.
        var full: [Datagram] = []
        /// The number of datagrams that the sending task has taken and not sent yet.
        var taken = 0
        /// Whether the current datagram is to be sent although it is not full.
        var sendsCurrent = false
        var waiters: [UnsafeContinuation<Void, Never>] = []
        /// The suspended sending task, if there is no work.
        var sleeper: UnsafeContinuation<Void, Never>?
        /// Whether messages are rejected.
        var isClosed = false
        /// Whether the sending task has ended.
        var hasEnded = false
        var statistics = DogStatsDStatistics()

        var hasWork: Bool { !full.isEmpty || sendsCurrent || !waiters.isEmpty || isClosed }

        mutating func wakeIfNeeded() -> UnsafeContinuation<Void, Never>? {
            guard hasWork else { return nil }
            defer { sleeper = nil }
            return sleeper
        }
    }

    /// The largest size of a datagram in bytes.
    let datagramSize: Int
    private let limit: Int
    private let state = Mutex(State())

    init(datagramSize: Int, limit: Int) {
        self.datagramSize = datagramSize
        self.limit = limit
    }

    var statistics: DogStatsDStatistics { state.withLock { $0.statistics } }

    /// Whether all datagrams have been sent or dropped and no more can follow.
    var hasEnded: Bool { state.withLock { $0.hasEnded } }
}

// MARK: - Appending, from any thread

extension DatagramQueue {
    /// Appends a message to the current datagram, or to the next one if it does not fit.
    ///
    /// - Parameters:
    ///   - message: At most ``datagramSize`` bytes.
    ///   - value: The aggregated value in the message, if it has one.
    /// - Returns: `false` if the message was dropped and counted, because the queue is full or closed.
    @discardableResult
    func append(_ message: UnsafeRawBufferPointer, _ kind: MessageKind, value: TakenValue? = nil) -> Bool {
        let (accepted, sleeper) = state.withLock { state -> (Bool, UnsafeContinuation<Void, Never>?) in
            guard !state.isClosed else {
                state.statistics.dropped[.shutDown] += 1
                return (false, nil)
            }
            if !state.current.hasRoom(for: message.count, of: datagramSize) {
                guard state.full.count + state.taken < limit else {
                    state.statistics.dropped[.queueFull] += 1
                    return (false, nil)
                }
                state.full.append(state.current)
                state.current = Datagram()
                state.sendsCurrent = false
            }
            state.current.append(message, value, datagramSize)
            state.statistics.accept(kind)
            return (true, state.wakeIfNeeded())
        }
        sleeper?.resume()
        return accepted
    }

    /// Counts a message that was dropped before it could be appended.
    func drop(_ reason: DogStatsDStatistics.DropReason.Kind) {
        state.withLock { $0.statistics.dropped[reason] += 1 }
    }

    /// Has the current datagram sent although it is not full.
    func sendCurrent() {
        let sleeper = state.withLock { state in
            state.sendsCurrent = state.current.messages > 0
            return state.wakeIfNeeded()
        }
        sleeper?.resume()
    }

    /// Waits until everything that was appended has been sent or dropped.
    func drain() async {
        await withUnsafeContinuation { waiter in
            let (ended, sleeper) = state.withLock { state in
                if state.hasEnded { return (true, nil as UnsafeContinuation<Void, Never>?) }
                state.sendsCurrent = state.current.messages > 0
                state.waiters.append(waiter)
                return (false, state.wakeIfNeeded())
            }
            if ended { waiter.resume() }
            sleeper?.resume()
        }
    }

    /// Rejects further messages. The sending task sends the remaining datagrams and ends.
    func close() {
        let sleeper = state.withLock { state in
            state.sendsCurrent = state.current.messages > 0
            state.isClosed = true
            return state.wakeIfNeeded()
        }
        sleeper?.resume()
    }
}

// MARK: - Sending, in the one sending task

extension DatagramQueue {
    /// Waits for work. Returns `nil` if the queue is closed and empty.
    func next() async -> Batch? {
        while true {
            let batch = state.withLock { $0.takeBatch() }
            if let batch { return batch.datagrams.isEmpty && batch.waiters.isEmpty ? nil : batch }
            await withUnsafeContinuation { sleeper in
                let hasWork = state.withLock { state in
                    if !state.hasWork { state.sleeper = sleeper }
                    return state.hasWork
                }
                if hasWork { sleeper.resume() }
            }
        }
    }

    /// Counts a datagram of a batch that was passed to the system.
    func countSent(_ datagram: Datagram) {
        state.withLock { state in
            state.taken -= 1
            state.statistics.messagesWaiting -= datagram.messages
            state.statistics.messagesSent += datagram.messages
            state.statistics.datagramsSent += 1
            state.statistics.bytesSent += datagram.bytes.count
        }
    }

    /// Counts a datagram of a batch that was dropped.
    func countDropped(_ datagram: Datagram, _ reason: DogStatsDStatistics.DropReason.Kind) {
        state.withLock { state in
            state.taken -= 1
            state.statistics.messagesWaiting -= datagram.messages
            state.statistics.countDropped(datagram, reason)
        }
    }

    /// Counts a datagram that was counted as sent and that the system reported as lost afterwards.
    func countLost(_ datagram: Datagram) {
        state.withLock { state in
            state.statistics.messagesSent -= datagram.messages
            state.statistics.datagramsSent -= 1
            state.statistics.bytesSent -= datagram.bytes.count
            state.statistics.countDropped(datagram, .agentUnreachable)
        }
    }
}

extension DatagramQueue.State {
    /// Returns `nil` if there is no work, and an empty batch once if there will be no more work.
    fileprivate mutating func takeBatch() -> DatagramQueue.Batch? {
        guard hasWork else { return nil }
        var batch = DatagramQueue.Batch(datagrams: full, waiters: waiters)
        if sendsCurrent {
            batch.datagrams.append(current)
            current = Datagram()
            sendsCurrent = false
        }
        full = []
        waiters = []
        taken += batch.datagrams.count
        // Decided under the lock, so that no caller of `drain()` waits for a task that has ended.
        hasEnded = batch.datagrams.isEmpty && batch.waiters.isEmpty
        return batch
    }
}

extension DogStatsDStatistics {
    fileprivate mutating func accept(_ kind: MessageKind) {
        messagesWaiting += 1
        switch kind {
        case .metric: metrics += 1
        case .event: events += 1
        case .serviceCheck: serviceChecks += 1
        }
    }

    fileprivate mutating func countDropped(_ datagram: Datagram, _ reason: DropReason.Kind) {
        dropped[reason] += datagram.messages
        datagramsDropped += 1
        bytesDropped += datagram.bytes.count
    }
}
