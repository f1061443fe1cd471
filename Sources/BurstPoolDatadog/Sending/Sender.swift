/// Sends what waits in a queue, one datagram after the other, until the queue is closed and empty.
///
/// The one task that owns this value is the only one that knows the socket. It waits for nobody but the queue, for a name to
/// be resolved the first time, and, for a tenth of a second at the most, for room in the receiver's buffer.
struct Sender {
    /// How long a datagram waits for room before it is dropped: as long as Datadog's client for Go waits.
    static let patience = Duration.milliseconds(100)

    private let queue: DatagramQueue
    private let clock: any Clock<Duration>
    private let isUnix: Bool
    private var addresses: AgentAddresses
    private var socket: (address: SocketAddress, socket: DatagramSocket)?
    /// The datagram before, over UDP: the error of the next one tells that nobody got it.
    private var previous: (messages: Int, bytes: Int)?

    init(queue: DatagramQueue, address: DogStatsDAddress, clock: any Clock<Duration>, resolve: @escaping NameResolver) {
        self.queue = queue
        self.clock = clock
        if case .unixSocket = address { isUnix = true } else { isUnix = false }
        addresses = AgentAddresses(address, resolve: resolve, elapsed: stopwatch(clock))
    }

    mutating func run() async {
        while let batch = await queue.next() {
            for datagram in batch.datagrams { await send(datagram) }
            for waiter in batch.waiters { waiter.resume() }
        }
    }

    private mutating func send(_ datagram: Datagram) async {
        var waited = Duration.zero
        var pause = Duration.milliseconds(1)
        var failures = 0
        while true {
            do throws(SystemError) {
                guard let socket = try await connectedSocket() else {
                    return queue.countDropped(datagram, .agentUnreachable)
                }
                try socket.send(datagram.bytes)
                previous = isUnix ? nil : (datagram.messages, datagram.bytes.count)
                return queue.countSent(datagram)
            } catch {
                switch error.meaning {
                case .refused:
                    return queue.countDropped(datagram, .refusedBySystem)
                case .noRoom:
                    guard waited < Self.patience else { return queue.countDropped(datagram, .agentTooSlow) }
                    try? await clock.sleep(for: pause)
                    waited += pause
                    pause = min(pause * 2, Self.patience - waited)
                case .nobodyListens:
                    disconnect()
                    failures += 1
                    // Once more: over UDP the error was the answer to the datagram before, over a unix socket there may be
                    // a new agent at the old path; and a name can stand for several addresses.
                    guard failures <= max(1, addresses.count) else {
                        return queue.countDropped(datagram, .agentUnreachable)
                    }
                }
            }
        }
    }

    /// The socket, connected to the address that is to be used now; `nil` if no address is known.
    private mutating func connectedSocket() async throws(SystemError) -> DatagramSocket? {
        guard let address = await addresses.current() else {
            disconnect()
            return nil
        }
        if let socket, socket.address == address { return socket.socket }
        socket = nil
        previous = nil
        let new = try DatagramSocket(connectedTo: address)
        socket = (address, new)
        return new
    }

    private mutating func disconnect() {
        if let previous { queue.countLost(messages: previous.messages, bytes: previous.bytes) }
        previous = nil
        socket = nil
        addresses.reject()
    }
}

/// How long a clock has run since now.
func stopwatch(_ clock: some Clock<Duration>) -> @Sendable () -> Duration {
    let start = clock.now
    return { start.duration(to: clock.now) }
}
