// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolRedis
import BurstPoolRedisServer
import BurstPoolTesting
import Testing

@testable import BurstPoolFleet
@testable import FleetSimulation

/// The script on a private redis-server.
@Suite("The store on a real Redis", .timeLimit(.minutes(1)))
struct RedisFleetStoreTests {
    /// Terms that do not end during a test. Such tests end a recovery by hand.
    private static let settings = FleetSettings(total: 20, floor: 2, processes: 4)

    /// Terms of fractions of a second, for tests in which they end.
    private static var shortSettings: FleetSettings {
        var short = settings
        short.term = .milliseconds(200)
        short.memberTerm = .milliseconds(600)
        short.grace = .milliseconds(50)
        return short
    }

    /// The server for all tests that do not kill it. It ends with the process.
    private static let sharedServer = Result { try RedisServer() }

    private func withStore(_ body: (RedisFleetStore) async throws -> Void) async throws {
        try await withStore(on: Self.sharedServer.get(), body)
    }

    private func withStore(
        on server: RedisServer,
        as login: String = "",
        _ body: (RedisFleetStore) async throws -> Void
    ) async throws {
        let store = try RedisFleetStore(url: "unix://\(login)\(server.socketPath)")
        do {
            try await body(store)
        } catch {
            await store.pool.abort()
            throw error
        }
        await store.pool.shutdown(drainFor: .seconds(5))
    }

    /// A name that no other test uses.
    private let fleet = "fleet-\(UInt64.random(in: 0 ... .max))"

    private func caller(_ name: String, _ store: RedisFleetStore, settings: FleetSettings = settings) -> Caller {
        Caller(store: store, fleet: fleet, name: name, settings: settings)
    }

    /// One member that numbers its requests.
    private final class Caller {
        let store: RedisFleetStore
        let fleet: String
        let name: String
        var settings: FleetSettings
        private var number = 0

        init(store: RedisFleetStore, fleet: String, name: String, settings: FleetSettings) {
            self.store = store
            self.fleet = fleet
            self.name = name
            self.settings = settings
        }

        func request() -> FleetRequest {
            number += 1
            return request(number: number)
        }

        func request(number: Int) -> FleetRequest {
            FleetRequest(fleet: fleet, settings: settings, member: name, number: number)
        }

        func join() async throws -> FleetReply { try await store.join(request()) }

        func renew(_ wanted: Int, held: Int = 0) async throws -> FleetReply {
            try await store.renew(request(), held: held, wanted: wanted)
        }

        func endRecovery() async throws {
            try await store.pool.withConnection { connection in
                _ = try await connection.send("HSET", "burst-pool:fleet:1:{\(fleet)}", "recovery", 0)
            }
        }

        /// Lets the server forget this member, whose share is 0, as the old data of a replica would.
        func loseRecord() async throws {
            try await store.pool.withConnection { connection in
                _ = try await connection.send("HDEL", "burst-pool:fleet:1:{\(fleet)}", "m:\(name)")
                _ = try await connection.send("HINCRBY", "burst-pool:fleet:1:{\(fleet)}", "members", -1)
            }
        }

        /// Joins a store that has just started.
        func joinFirst() async throws {
            _ = try await join()
            try await endRecovery()
            #expect(try await join() == .granted(share: 0, .init(members: 1, drawn: 0)))
        }
    }

    @Test("A server without memory admits nobody until it has recovered; then members draw, up to the burst budget")
    func draws() async throws {
        try await withStore { store in
            let first = caller("first", store)
            // The term and the grace.
            #expect(try await first.join() == .recovering(.init(members: 0, drawn: 0, recovery: .seconds(15))))
            try await first.endRecovery()
            #expect(try await first.join() == .granted(share: 0, .init(members: 1, drawn: 0)))
            // 20 - 4 * 2 = 12.
            #expect(try await first.renew(5) == .granted(share: 5, .init(members: 1, drawn: 5)))
            let second = caller("second", store)
            #expect(try await second.join() == .granted(share: 0, .init(members: 2, drawn: 5)))
            #expect(try await second.renew(9) == .granted(share: 7, .init(members: 2, drawn: 12)))
            #expect(try await first.renew(2, held: 2) == .granted(share: 2, .init(members: 2, drawn: 9)))
            #expect(try await second.renew(12, held: 7) == .granted(share: 10, .init(members: 2, drawn: 12)))
            try await store.leave(first.request())
            #expect(try await second.renew(12, held: 10) == .granted(share: 12, .init(members: 1, drawn: 12)))
        }
    }

    @Test("The share of a silent member returns after the term and the grace, and its floor after the member term")
    func silence() async throws {
        try await withStore { store in
            let silent = caller("silent", store, settings: Self.shortSettings)
            let other = caller("other", store, settings: Self.shortSettings)
            try await silent.joinFirst()
            _ = try await other.join()
            let silentSince = ContinuousClock.now
            _ = try await silent.renew(12)
            var shareReturned: Duration?
            var floorReturned: Duration?
            while floorReturned == nil, ContinuousClock.now - silentSince < .seconds(10) {
                guard case .granted(let share, let state) = try await other.renew(4) else { break }
                if share == 4, shareReturned == nil { shareReturned = ContinuousClock.now - silentSince }
                if state.members == 1 { floorReturned = ContinuousClock.now - silentSince }
                try await Task.sleep(for: .milliseconds(10))
            }
            // The server counts whole milliseconds.
            #expect(try #require(shareReturned) >= .milliseconds(249))
            #expect(try #require(floorReturned) >= .milliseconds(649))
        }
    }

    @Test("A process is refused when floors and shares use up the total, and with other settings")
    func refusals() async throws {
        try await withStore { store in
            let first = caller("0", store)
            try await first.joinFirst()
            // Ten floors of 2 fit into 20.
            for index in 1..<10 {
                let state = FleetState(members: index + 1, drawn: 0)
                #expect(try await caller("\(index)", store).join() == .granted(share: 0, state))
            }
            #expect(try await caller("10", store).join() == .full(.init(members: 10, drawn: 0)))
            #expect(try await first.renew(1) == .granted(share: 0, .init(members: 10, drawn: 0)))

            let stranger = caller("stranger", store)
            stranger.settings.total = 21
            #expect(try await stranger.join() == .differentSettings(Self.settings))
            #expect(try await stranger.renew(1) == .differentSettings(Self.settings))
        }
    }

    @Test("A delayed request that a later one has overtaken is ignored")
    func outdated() async throws {
        try await withStore { store in
            let caller = self.caller("caller", store)
            try await caller.joinFirst()
            let release = caller.request()
            #expect(try await caller.renew(3) == .granted(share: 3, .init(members: 1, drawn: 3)))
            #expect(try await store.renew(release, held: 0, wanted: 0) == .outdated)
            #expect(try await caller.renew(3, held: 3) == .granted(share: 3, .init(members: 1, drawn: 3)))
        }
    }

    @Test(
        "A server that restarts empty records what members hold, and grants and admits nothing until it has recovered"
    )
    func restart() async throws {
        let server = try RedisServer()
        defer { server.stop() }
        try await withStore(on: server) { store in
            let member = caller("member", store, settings: Self.shortSettings)
            try await member.joinFirst()
            _ = try await member.renew(6)
            server.kill()
            await #expect(throws: (any Error).self) { _ = try await member.renew(6, held: 6) }
            try server.start()
            let stranger = caller("stranger", store, settings: Self.shortSettings)
            guard case .recovering = try await stranger.join() else {
                Issue.record("A process was admitted during the recovery.")
                return
            }
            // The fleet clock advances by at most 50 ms with each request, so the recovery lasts for some more of them.
            for _ in 0..<3 {
                guard case .granted(let kept, let state) = try await member.renew(8, held: 6) else {
                    Issue.record("The member was not recorded again.")
                    return
                }
                #expect(kept == 6)
                #expect(state.members == 1 && state.drawn == 6 && state.recovery > .zero)
            }
            var joined = false
            for _ in 0..<500 where !joined {
                try await Task.sleep(for: .milliseconds(20))
                _ = try await member.renew(6, held: 6)
                if case .granted = try await stranger.join() { joined = true }
            }
            #expect(joined)
            guard case .granted(let drawn, _) = try await member.renew(8, held: 6) else {
                Issue.record("The member was refused.")
                return
            }
            #expect(drawn == 8)
        }
    }

    @Test("Lost writes are noticed when a member holds more than the server knows")
    func lostWrites() async throws {
        try await withStore { store in
            let caller = self.caller("caller", store)
            try await caller.joinFirst()
            guard case .granted(let share, let state) = try await caller.renew(5, held: 4) else {
                Issue.record("The member was refused.")
                return
            }
            #expect(share == 4)
            #expect(state.recovery > .zero)
        }
    }

    @Test("A member that was lost and holds no share is recorded again without another recovery, if there is room")
    func returnsWithoutShare() async throws {
        try await withStore { store in
            let member = caller("member", store)
            let other = caller("other", store)
            try await member.joinFirst()
            _ = try await other.join()
            try await member.loseRecord()
            #expect(try await other.renew(5) == .granted(share: 5, .init(members: 1, drawn: 5)))
            #expect(try await member.renew(2) == .granted(share: 2, .init(members: 2, drawn: 7)))
            #expect(try await member.renew(0) == .granted(share: 0, .init(members: 2, drawn: 5)))
            try await member.loseRecord()
            // Floors of 2 for nine other processes leave no room, because a share of 1 remains drawn.
            #expect(try await other.renew(1) == .granted(share: 1, .init(members: 1, drawn: 1)))
            for index in 0..<8 { _ = try await caller("\(index)", store).join() }
            #expect(try await member.renew(0) == .full(.init(members: 9, drawn: 1)))
        }
    }

    @Test("A server that may not tell of a restart recovers when a member is unknown, also one that holds no share")
    func hiddenRestart() async throws {
        let server = try Self.sharedServer.get()
        try await withStore(on: server) { store in
            try await store.pool.withConnection { connection in
                _ = try await connection.send("ACL", "SETUSER", "clerk", "on", ">secret", "~*", "+@all", "-info")
            }
        }
        try await withStore(on: server, as: "clerk:secret@") { store in
            let member = caller("member", store)
            try await member.joinFirst()
            try await member.loseRecord()
            #expect(
                try await member.renew(3)
                    == .granted(share: 0, .init(members: 1, drawn: 0, recovery: .seconds(15)))
            )
        }
    }

    @Test("The script follows the same rules as the ledger of the simulations", arguments: 1...4)
    func sameAsLedger(seed: Int) async throws {
        try await withStore { store in
            var random = SeededRandom(seed: seed)
            var ledger = FleetLedger()
            var callers: [String: (number: Int, share: Int)] = [:]
            var kinds: Set<String> = []
            for step in 0..<300 {
                if step == 10 || random.happens(0.05) {
                    ledger.endRecovery()
                    try await caller("clerk", store).endRecovery()
                }
                let name = "\(Int.random(in: 0..<12, using: &random))"
                var known = callers[name] ?? (0, 0)
                // Some requests are delayed ones.
                if !random.happens(0.1) { known.number += 1 }
                let request = caller(name, store).request(number: known.number)
                let expected: FleetReply
                let actual: FleetReply
                switch Int.random(in: 0..<10, using: &random) {
                case 0:
                    ledger.leave(request, run: 1, wall: 0)
                    try await store.leave(request)
                    callers[name] = known
                    continue
                case 1...3:
                    expected = ledger.join(request, run: 1, wall: 0)
                    actual = try await store.join(request)
                default:
                    let wanted = Int.random(in: 0...6, using: &random)
                    let held = random.happens(0.05) ? 7 : min(wanted, known.share)
                    expected = ledger.renew(request, held: held, wanted: wanted, run: 1, wall: 0)
                    actual = try await store.renew(request, held: held, wanted: wanted)
                }
                if case .granted(let share, _) = expected { known.share = share }
                callers[name] = known
                try #require(actual.withoutTime == expected.withoutTime, "step \(step)")
                kinds.insert(String("\(expected)".prefix { $0 != "(" }))
            }
            #expect(kinds == ["granted", "full", "recovering", "outdated"])
        }
    }

    @Test("A pool draws and releases through a real server")
    func member() async throws {
        try await withStore { store in
            var configuration = FleetConfiguration(name: fleet, settings: Self.shortSettings)
            configuration.lookInterval = .milliseconds(10)
            configuration.releaseAfter = .milliseconds(50)
            let pool = try ConnectionPool(strategy: ScriptedStrategy<Int>(), maxSize: 2)
            let greatestShare = Box(0)
            let member = try FleetMember(pool: pool, store: store, configuration: configuration) { event in
                greatestShare.change { $0 = max($0, event.status.share) }
            }
            let running = Task { try await member.run() }
            try await withThrowingTaskGroup { group in
                for _ in 0..<8 {
                    group.addTask {
                        try await pool.withConnection { _ in
                            while greatestShare.value < 6 { try await Task.sleep(for: .milliseconds(2)) }
                        }
                    }
                }
                try await group.waitForAll()
            }
            while member.status.share > 0 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(pool.configuration.burstLimit == nil)
            await pool.shutdown()
            try await running.value
            let other = caller("other", store, settings: Self.shortSettings)
            #expect(try await other.join() == .granted(share: 0, .init(members: 1, drawn: 0)))
        }
    }
}

extension FleetReply {
    /// The reply with a recovery of 1 second, if there is one: the rest of a recovery depends on the time.
    fileprivate var withoutTime: FleetReply {
        func rounded(_ state: FleetState) -> FleetState {
            FleetState(
                members: state.members,
                drawn: state.drawn,
                recovery: state.recovery > .zero ? .seconds(1) : .zero
            )
        }
        return switch self {
        case .granted(let share, let state): .granted(share: share, rounded(state))
        case .full(let state): .full(rounded(state))
        case .recovering(let state): .recovering(rounded(state))
        case .differentSettings, .outdated: self
        }
    }
}
