import Synchronization

/// Messages put together in datagrams, and the datagrams that wait to be sent.
///
/// Any thread appends; one task takes (``next()``). What an appender does under the lock is to copy one finished message
/// behind the one before and to count it, some tens of nanoseconds; once per datagram it also gets memory for the next one
/// and wakes the task. This is not the pool's hot path: a lock of this kind is what a metric costs, and whoever holds it
/// runs no code of anybody else.
///
/// The number of datagrams is limited: with as many full ones as may wait, what does not fit into the one that is being
/// filled is dropped. So memory does not grow however long nobody can be reached, and no appender waits.
final class DatagramQueue: Sendable {
    /// What there is to do for the task that sends.
    struct Batch {
        var datagrams: [Datagram]
        /// Those who wait until these datagrams, and all before them, have been sent or dropped.
        var waiters: [UnsafeContinuation<Void, Never>]
    }

    fileprivate struct State {
        /// The datagram that is being filled.
        var current = Datagram()
        /// Full ones, not yet taken.
        var full: [Datagram] = []
        /// Full ones that have been taken and are not yet sent.
        var taken = 0
        /// Whether the current one is to be sent without being full.
        var sendsCurrent = false
        var waiters: [UnsafeContinuation<Void, Never>] = []
        /// The task that sends, when it has nothing to do.
        var sleeper: UnsafeContinuation<Void, Never>?
        /// Nothing comes any more.
        var isClosed = false
        /// The task has seen it, and has gone.
        var hasEnded = false
        var statistics = DogStatsDStatistics()

        var hasWork: Bool { !full.isEmpty || sendsCurrent || !waiters.isEmpty || isClosed }

        mutating func wakeIfNeeded() -> UnsafeContinuation<Void, Never>? {
            guard hasWork else { return nil }
            defer { sleeper = nil }
            return sleeper
        }
    }

    /// How many bytes a datagram may have.
    let datagramSize: Int
    private let limit: Int
    private let state = Mutex(State())

    init(datagramSize: Int, limit: Int) {
        self.datagramSize = datagramSize
        self.limit = limit
    }

    var statistics: DogStatsDStatistics { state.withLock { $0.statistics } }

    /// Whether everything has been sent or dropped and nothing will come any more.
    var hasEnded: Bool { state.withLock { $0.hasEnded } }
}

// MARK: - Giving, from any thread

extension DatagramQueue {
    /// Appends a message to the current datagram, or to the next if it does not fit. If there is no room at all, it is
    /// counted as dropped.
    ///
    /// - Parameter message: Not longer than ``datagramSize``.
    func append(_ message: UnsafeRawBufferPointer, _ kind: MessageKind) {
        let sleeper = state.withLock { state -> UnsafeContinuation<Void, Never>? in
            guard !state.isClosed else {
                state.statistics.dropped[.shutDown] += 1
                return nil
            }
            if !state.current.hasRoom(for: message.count, of: datagramSize) {
                guard state.full.count + state.taken < limit else {
                    state.statistics.dropped[.queueFull] += 1
                    return nil
                }
                state.full.append(state.current)
                state.current = Datagram()
                state.sendsCurrent = false
            }
            state.current.append(message, datagramSize)
            state.statistics.accept(kind)
            return state.wakeIfNeeded()
        }
        sleeper?.resume()
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

    /// Waits until everything that has been appended has been sent or dropped.
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

    /// Refuses what comes from now on, has the rest sent, and then ends the task that sends.
    func close() {
        let sleeper = state.withLock { state in
            state.sendsCurrent = state.current.messages > 0
            state.isClosed = true
            return state.wakeIfNeeded()
        }
        sleeper?.resume()
    }
}

// MARK: - Taking, for the one task that sends

extension DatagramQueue {
    /// What there is to send, as soon as there is something. `nil`: nothing will come any more.
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

    /// A datagram of the batch has been handed to the system.
    func countSent(_ datagram: Datagram) {
        state.withLock { state in
            state.taken -= 1
            state.statistics.messagesWaiting -= datagram.messages
            state.statistics.messagesSent += datagram.messages
            state.statistics.datagramsSent += 1
            state.statistics.bytesSent += datagram.bytes.count
        }
    }

    /// A datagram of the batch has been dropped.
    func countDropped(_ datagram: Datagram, _ reason: DogStatsDStatistics.DropReason.Kind) {
        state.withLock { state in
            state.taken -= 1
            state.statistics.messagesWaiting -= datagram.messages
            state.statistics.countDropped(messages: datagram.messages, bytes: datagram.bytes.count, reason)
        }
    }

    /// A datagram that had been handed to the system turned out to be lost.
    func countLost(messages: Int, bytes: Int) {
        state.withLock { state in
            state.statistics.messagesSent -= messages
            state.statistics.datagramsSent -= 1
            state.statistics.bytesSent -= bytes
            state.statistics.countDropped(messages: messages, bytes: bytes, .agentUnreachable)
        }
    }
}

extension DatagramQueue.State {
    /// `nil` if there is nothing to do; an empty batch, once, if there will be nothing any more.
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
        // Together with the decision that nothing is left: whoever comes now must not wait for a task that has gone.
        hasEnded = batch.datagrams.isEmpty && batch.waiters.isEmpty
        return batch
    }
}

/// Bytes that are sent together, and how many messages they are.
struct Datagram: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var messages = 0

    /// Whether another message fits, with the line feed before it.
    func hasRoom(for count: Int, of size: Int) -> Bool {
        bytes.count + (messages > 0 ? 1 : 0) + count <= size
    }

    mutating func append(_ message: UnsafeRawBufferPointer, _ size: Int) {
        if messages > 0 { bytes.append(UInt8(ascii: "\n")) } else { bytes.reserveCapacity(size) }
        bytes.append(contentsOf: message)
        messages += 1
    }
}

/// What is counted apart.
enum MessageKind {
    case metric, event, serviceCheck
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

    fileprivate mutating func countDropped(messages: Int, bytes: Int, _ reason: DropReason.Kind) {
        dropped[reason] += messages
        datagramsDropped += 1
        bytesDropped += bytes
    }
}
