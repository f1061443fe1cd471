// SPDX-License-Identifier: Apache-2.0

import BurstPoolSampling

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Sends the datagrams of a queue in order, until the queue is closed and empty.
///
/// One task owns this value and its socket. It waits only for the queue, for the first resolution of the agent's name, and for
/// room in the receiver's buffer, for at most 100 milliseconds.
struct Sender {
    /// The time that a datagram waits for room before it is dropped, the same as in Datadog's client for Go.
    ///
    /// The datagrams after it do not wait until one has been sent again. An agent that has stopped reading therefore costs this
    /// time once and not for every queued datagram, for example at a shutdown.
    static let patience = Duration.milliseconds(100)

    private let queue: DatagramQueue
    private let clock: any Clock<Duration>
    private let isUnix: Bool
    /// Adds the values of a dropped datagram back to their metrics.
    private let restore: @Sendable ([TakenValue]) -> Void
    private var addresses: AgentAddresses
    private var socket: (address: SocketAddress, socket: DatagramSocket)?
    /// The previous datagram, over UDP only. The system reports its loss as an error of the next one.
    private var previous: Datagram?
    /// Whether the last datagram was dropped because there was no room.
    private var isStuck = false

    init(
        queue: DatagramQueue,
        address: DogStatsDAddress,
        clock: any Clock<Duration>,
        resolve: @escaping NameResolver,
        restore: @escaping @Sendable ([TakenValue]) -> Void
    ) {
        self.queue = queue
        self.clock = clock
        self.restore = restore
        if case .unixSocket = address { isUnix = true } else { isUnix = false }
        let stopwatch = Stopwatch(clock)
        addresses = AgentAddresses(address, resolve: resolve, elapsed: { stopwatch.elapsed })
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
                guard let socket = try await connectedSocket() else { return drop(datagram, .agentUnreachable) }
                try socket.send(datagram.bytes)
                previous = isUnix ? nil : datagram
                isStuck = false
                return queue.countSent(datagram)
            } catch {
                switch error.meaning {
                case .refused:
                    return drop(datagram, .refusedBySystem)
                case .noRoom:
                    guard waited < Self.patience, !isStuck else {
                        isStuck = true
                        return drop(datagram, .agentTooSlow)
                    }
                    try? await clock.sleep(for: pause)
                    waited += pause
                    pause = min(pause * 2, Self.patience - waited)
                case .unreachable:
                    if error.code == ECONNREFUSED, let previous {
                        queue.countLost(previous)
                        restore(previous.values)
                    }
                    disconnect()
                    failures += 1
                    // Try again. Over UDP the error was about the previous datagram, over a unix socket there may be a new
                    // agent at the same path, and a name can have several addresses.
                    guard failures <= max(1, addresses.count) else { return drop(datagram, .agentUnreachable) }
                }
            }
        }
    }

    private func drop(_ datagram: Datagram, _ reason: DogStatsDStatistics.DropReason.Kind) {
        queue.countDropped(datagram, reason)
        restore(datagram.values)
    }

    /// Returns a socket that is connected to the current address, or `nil` if no address is known.
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
        previous = nil
        socket = nil
        addresses.reject()
    }
}
