// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The addresses of the agent: the path of its socket, or the addresses that its host name currently resolves to.
///
/// Only the sending task uses this value. It resolves a name again in the background while it sends.
struct AgentAddresses {
    /// The time after which a name is resolved again, because its address may have changed.
    static let refreshInterval = Duration.seconds(30)
    /// The shortest time between two resolutions of a name, successful or not.
    static let shortestInterval = Duration.seconds(1)

    /// The result of a resolution in the background.
    private final class Resolution: Sendable {
        let addresses = Mutex<[SocketAddress]?>(nil)
    }

    private let host: String
    private let port: Int
    private let resolve: NameResolver
    /// The time since the client was made.
    private let elapsed: @Sendable () -> Duration
    private let canChange: Bool

    private var known: [SocketAddress]
    private var position = 0
    private var resolvedAt: Duration?
    private var pending: Resolution?
    private var isSuspect = false

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

    /// Returns the address to use, or `nil` if there is none.
    ///
    /// The first call waits for the resolution, because there is nothing to send to yet. Later calls use the result of a
    /// background resolution once it is available.
    mutating func current() async -> SocketAddress? {
        if known.isEmpty {
            guard isDue(after: Self.shortestInterval) else { return nil }
            resolvedAt = elapsed()
            known = await resolve(host, port)
            position = 0
        } else if canChange {
            takeResolution()
            if pending == nil, isDue(after: isSuspect ? Self.shortestInterval : Self.refreshInterval) {
                resolveInBackground()
            }
        }
        return known.isEmpty ? nil : known[position % known.count]
    }

    /// Moves to the next address because nothing listened at the current one, and has the name resolved again soon.
    mutating func reject() {
        position += 1
        isSuspect = true
    }

    /// The number of addresses.
    var count: Int { known.count }

    private func isDue(after interval: Duration) -> Bool {
        guard let resolvedAt else { return true }
        return elapsed() - resolvedAt >= interval
    }

    private mutating func resolveInBackground() {
        resolvedAt = elapsed()
        isSuspect = false
        let resolution = Resolution()
        pending = resolution
        Task { [resolve, host, port] in
            let addresses = await resolve(host, port)
            resolution.addresses.withLock { $0 = addresses }
        }
    }

    private mutating func takeResolution() {
        guard let addresses = pending?.addresses.withLock({ $0 }) else { return }
        pending = nil
        // A resolution can fail temporarily. The known addresses remain in use then.
        guard !addresses.isEmpty else { return }
        let current = known[position % known.count]
        known = addresses
        position = addresses.firstIndex(of: current) ?? 0
    }
}
