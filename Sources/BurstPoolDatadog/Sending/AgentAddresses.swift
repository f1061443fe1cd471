import Synchronization

/// The addresses at which the agent may be: the path of its socket, or what its host's name stands for at the moment.
///
/// Used by the task that sends, alone. Asking for a name again goes on beside the sending.
struct AgentAddresses {
    /// After which time a name is asked for again, because its address may have changed.
    static let refreshInterval = Duration.seconds(30)
    /// How long to leave the system alone after a name was asked for, also when it led nowhere.
    static let shortestInterval = Duration.seconds(1)

    /// What a name was found to stand for.
    private final class Answer: Sendable {
        let addresses = Mutex<[SocketAddress]?>(nil)
    }

    private let host: String
    private let port: Int
    private let resolve: NameResolver
    /// How long the client has been running.
    private let elapsed: @Sendable () -> Duration
    private let canChange: Bool

    private var known: [SocketAddress]
    private var position = 0
    private var askedAt: Duration?
    private var pending: Answer?
    private var isDoubtful = false

    init(_ address: DogStatsDAddress, resolve: @escaping NameResolver, elapsed: @escaping @Sendable () -> Duration) {
        self.resolve = resolve
        self.elapsed = elapsed
        switch address {
        case .unixSocket(let path):
            (host, port, canChange) = ("", 0, false)
            known = [SocketAddress(path: path)]
        case .udp(let host, let port):
            (self.host, self.port, canChange) = (host, port, !SystemNameResolver.isNumeric(host))
            known = []
        }
    }

    /// The address to use; `nil` if there is none.
    ///
    /// The first time it waits for the answer, since there is nothing else to do. Later it takes an answer when it is there.
    mutating func current() async -> SocketAddress? {
        if known.isEmpty {
            guard isDue(after: Self.shortestInterval) else { return nil }
            askedAt = elapsed()
            known = await resolve(host, port)
            position = 0
        } else if canChange {
            takeAnswer()
            if pending == nil, isDue(after: isDoubtful ? Self.shortestInterval : Self.refreshInterval) { ask() }
        }
        return known.isEmpty ? nil : known[position % known.count]
    }

    /// Nobody listened at the current address: the next one is tried, and the name asked for again.
    mutating func reject() {
        position += 1
        isDoubtful = true
    }

    /// The number of addresses.
    var count: Int { known.count }

    private func isDue(after interval: Duration) -> Bool {
        guard let askedAt else { return true }
        return elapsed() - askedAt >= interval
    }

    private mutating func ask() {
        askedAt = elapsed()
        isDoubtful = false
        let answer = Answer()
        pending = answer
        Task { [resolve, host, port] in
            let addresses = await resolve(host, port)
            answer.addresses.withLock { $0 = addresses }
        }
    }

    private mutating func takeAnswer() {
        guard let addresses = pending?.addresses.withLock({ $0 }) else { return }
        pending = nil
        // A name that leads nowhere for a moment is no reason to forget where it led.
        guard !addresses.isEmpty else { return }
        let current = known[position % known.count]
        known = addresses
        position = addresses.firstIndex(of: current) ?? 0
    }
}
