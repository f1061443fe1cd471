// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization
import Testing

/// The server of a group's tests: it counts the connections of all keys, and notes when there were too many.
final class TenantServer: Sendable {
    private struct State {
        var open: [String: Int] = [:]
        var total = 0
        var mostEver = 0
        var opened: [String: Int] = [:]
        var closed: [String] = []
        var strategies = 0
        var isUp = true
    }

    private let state = Mutex(State())
    /// Connections wait here before they open, and before they close.
    let opening = Gate()
    let closing = Gate()

    init(holdsOpening: Bool = false, holdsClosing: Bool = false) {
        if !holdsOpening { opening.open() }
        if !holdsClosing { closing.open() }
    }

    var total: Int { state.withLock { $0.total } }
    /// The most connections of all keys at the same time.
    var mostEver: Int { state.withLock { $0.mostEver } }
    /// The keys whose connections were closed, in this order.
    var closed: [String] { state.withLock { $0.closed } }
    /// The strategies that exist.
    var strategies: Int { state.withLock { $0.strategies } }

    func open(_ tenant: String) -> Int { state.withLock { $0.open[tenant] ?? 0 } }
    func opened(_ tenant: String) -> Int { state.withLock { $0.opened[tenant] ?? 0 } }
    func setUp(_ isUp: Bool) { state.withLock { $0.isUp = isUp } }

    fileprivate func connect(_ tenant: String) throws {
        try state.withLock { state in
            guard state.isUp else { throw ServerIsDown() }
            state.open[tenant, default: 0] += 1
            state.opened[tenant, default: 0] += 1
            state.total += 1
            state.mostEver = max(state.mostEver, state.total)
        }
    }

    fileprivate func disconnect(_ tenant: String) {
        state.withLock { state in
            state.open[tenant, default: 0] -= 1
            state.total -= 1
            state.closed.append(tenant)
        }
    }

    fileprivate func countStrategies(_ change: Int) { state.withLock { $0.strategies += change } }
}

struct ServerIsDown: Error {}

/// A connection of one tenant, which notices when two callers use it.
final class TenantConnection: Sendable {
    let tenant: String
    private let isInUse = Atomic(false)
    static let overlaps = Atomic(0)

    init(_ tenant: String) { self.tenant = tenant }

    func use(_ yields: Int) async {
        begin()
        for _ in 0..<yields { await Task.yield() }
        end()
    }

    func begin() {
        if isInUse.exchange(true, ordering: .relaxed) { Self.overlaps.add(1, ordering: .relaxed) }
    }

    func end() { isInUse.store(false, ordering: .relaxed) }
}

final class TenantStrategy: ConnectionStrategy {
    let tenant: String
    private let server: TenantServer

    init(_ tenant: String, _ server: TenantServer) {
        self.tenant = tenant
        self.server = server
        server.countStrategies(1)
    }

    deinit { server.countStrategies(-1) }

    func makeConnection() async throws -> sending TenantConnection {
        await server.opening.pass()
        try server.connect(tenant)
        return TenantConnection(tenant)
    }

    func connectionIsClosed(_ connection: TenantConnection) throws -> Bool { false }

    func closeConnection(_ connection: sending TenantConnection) async throws {
        await server.closing.pass()
        server.disconnect(tenant)
    }
}

typealias TenantGroup = ConnectionPoolGroup<String, TenantStrategy>

/// Runs a test on a group, and checks at the end that the total was never exceeded and that nothing is left behind.
func withGroup(
    maxTotal: Int,
    perKey: Int,
    _ server: TenantServer = TenantServer(),
    configure: (inout ConnectionPoolGroupConfiguration) -> Void = { _ in },
    settings: @escaping @Sendable (String, inout ConnectionPoolKeySettings) throws -> Void = { _, _ in },
    _ body: (TenantGroup, TenantServer) async throws -> Void
) async throws {
    var configuration = ConnectionPoolGroupConfiguration(
        maxTotal: maxTotal,
        perKey: ConnectionPoolConfiguration(maxSize: perKey)
    )
    configure(&configuration)
    do {
        let group = try TenantGroup(configuration: configuration, settings: settings) { TenantStrategy($0, server) }
        try await body(group, server)
        server.opening.open()
        server.closing.open()
        let result = await group.shutdown()
        #expect(result.isComplete, "\(result)")
        #expect(server.total == 0)
        #expect(server.mostEver <= maxTotal)
        #expect(group.statistics.waiting == 0)
    }
    try await eventually("all strategies are deallocated") { server.strategies == 0 }
}
