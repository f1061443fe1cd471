// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolFleet
import BurstPoolTesting
import Testing

@Suite("A member on a pool, in virtual time", .timeLimit(.minutes(1)))
struct MemberTests {
    /// A pool, its member, and what the member has reported.
    fileprivate struct Scene {
        let clock = ManualClock()
        let store: InMemoryFleetStore
        let pool: ConnectionPool<ScriptedStrategy<Int>>
        let member: FleetMember<ConnectionPool<ScriptedStrategy<Int>>>
        let log = Box<[FleetEvent.Kind]>([])

        init(
            store: InMemoryFleetStore? = nil,
            processes: Int = 2,
            change: (inout FleetConfiguration) -> Void = { _ in }
        ) throws {
            self.store = store ?? InMemoryFleetStore(clock: clock)
            pool = try ConnectionPool(strategy: ScriptedStrategy<Int>(), maxSize: 1)
            var configuration = FleetConfiguration(
                name: "fleet",
                settings: .init(total: 8, floor: 2, processes: processes)
            )
            configuration.clock = clock
            configuration.releaseAfter = .seconds(1)
            change(&configuration)
            member = try FleetMember(pool: pool, store: self.store, configuration: configuration) { [log] event in
                log.change { $0.append(event.kind) }
            }
        }

        /// Advances the clock in steps of a look until a condition holds, for at most 20 minutes of virtual time.
        func advance(_ location: SourceLocation = #_sourceLocation, until condition: () -> Bool) async throws {
            for _ in 0..<24_000 {
                // When the last member has ended, no task sleeps any more.
                for attempt in 0..<20_000 where clock.sleepers == 0 && !condition() {
                    if attempt < 1_000 { await Task.yield() } else { try await Task.sleep(for: .milliseconds(1)) }
                }
                if condition() { return }
                clock.advance(by: .milliseconds(50))
                for _ in 0..<10 { await Task.yield() }
            }
            Issue.record("The condition did not come true. \(member.status)", sourceLocation: location)
        }

        /// Runs a body while the member runs, and ends the member after it by shutting the pool down.
        func run(_ body: () async throws -> Void) async throws {
            let running = Task { try await member.run() }
            do {
                try await body()
            } catch {
                running.cancel()
                throw error
            }
            let shutdown = Task { await pool.shutdown() }
            let isDone = Box(false)
            let ended = Task {
                defer { isDone.value = true }
                try await running.value
            }
            try await advance { isDone.value }
            try await ended.value
            #expect(await shutdown.value.isComplete)
            #expect(store.members == 0, "the member has left")
        }
    }

    @Test("A pool opens nothing before its process has joined; then its limit is the floor")
    func joins() async throws {
        let scene = try Scene()
        #expect(scene.pool.isPaused)
        await #expect(throws: ConnectionPoolError.self) {
            try await scene.pool.withConnection(timeout: .immediate) { _ in }
        }
        try await scene.run {
            try await scene.advance { scene.member.status.isMember }
            #expect(scene.member.status.limits == .connections(floor: 2, share: 0))
            #expect(scene.pool.configuration.maxSize == 2)
            #expect(try await scene.pool.withConnection { $0 } == 1)
            // A store that starts for the first time recovers for its longest term.
            #expect(scene.clock.now.sinceStart >= .seconds(15))
            guard case .waitingToJoin = scene.log.value.first else {
                Issue.record("\(scene.log.value)")
                return
            }
        }
    }

    @Test("Callers that wait get a share, and it is released when it is no longer used")
    func burst() async throws {
        let scene = try Scene()
        try await scene.run {
            try await scene.advance { scene.member.status.isMember }
            let occupants = (0..<6).map { _ in Occupant(of: scene.pool) }
            // The burst budget is 8 - 2 * 2.
            try await scene.advance { scene.member.status.share == 4 }
            try await scene.advance { scene.pool.statistics.inUse == 6 }
            #expect(scene.pool.configuration.burstLimit == 6)
            for occupant in occupants { try await occupant.release() }
            try await scene.advance { scene.store.drawn == 0 }
            #expect(scene.pool.configuration.maxSize == 2)
            #expect(scene.pool.configuration.burstLimit == nil)
            #expect(scene.log.value.contains(.shareChanged(from: 0, to: 2)))
            #expect(scene.log.value.contains(.shareChanged(from: 4, to: 0)))
        }
    }

    @Test("Without the store the pool goes back to its floor, and is suspended before the membership ends at the store")
    func storeIsAway() async throws {
        let scene = try Scene { $0.settings.memberTerm = .seconds(60) }
        try await scene.run {
            try await scene.advance { scene.member.status.isMember }
            let occupants = (0..<3).map { _ in Occupant(of: scene.pool) }
            try await scene.advance { scene.pool.statistics.inUse == 3 }
            scene.store.isReachable = false
            try await scene.advance { scene.member.status.limits == .connections(floor: 2, share: 0) }
            #expect(!scene.member.status.reachesStore)
            #expect(scene.member.latestStoreError is InMemoryFleetStore.Unreachable)
            try await scene.advance { scene.member.status.limits == .suspended }
            #expect(scene.pool.isPaused)
            #expect(scene.store.members == 1)
            #expect(scene.pool.statistics.inUse == 3, "a resize does not close a connection in use")
            for occupant in occupants { try await occupant.release() }
            try await scene.advance { scene.pool.statistics.total == 0 }
            scene.store.isReachable = true
            try await scene.advance { scene.member.status.isMember }
            #expect(!scene.pool.isPaused)
            #expect(scene.log.value.contains(.membershipEnded))
            #expect(scene.log.value.contains(.storeReachable))
        }
    }

    @Test("A store that comes back empty learns what the members hold, and grants no more until its recovery has ended")
    func storeIsLost() async throws {
        let scene = try Scene()
        try await scene.run {
            try await scene.advance { scene.member.status.isMember }
            var occupants = (0..<3).map { _ in Occupant(of: scene.pool) }
            try await scene.advance { scene.member.status.share == 2 && scene.pool.statistics.inUse == 3 }
            scene.store.restartEmpty()
            let restarted = scene.clock.now.sinceStart
            try await scene.advance { scene.store.drawn == 2 }
            #expect(scene.store.members == 1)
            occupants += (0..<2).map { _ in Occupant(of: scene.pool) }
            try await scene.advance { scene.member.status.share == 4 }
            #expect(scene.clock.now.sinceStart - restarted >= .seconds(15))
            for occupant in occupants { try await occupant.release() }
        }
    }

    @Test("A process with other settings is refused with an error, and its pool stays suspended")
    func differentSettings() async throws {
        let scene = try Scene()
        try await scene.run {
            try await scene.advance { scene.member.status.isMember }
            var configuration = scene.member.configuration
            configuration.settings.total = 10
            let pool = try ConnectionPool(strategy: ScriptedStrategy<Int>(), maxSize: 1)
            let member = try FleetMember(pool: pool, store: scene.store, configuration: configuration)
            let code = Box<FleetError.Code?>(nil)
            let running = Task {
                do { try await member.run() } catch let error as FleetError { code.value = error.code }
            }
            try await scene.advance { code.value != nil }
            try await running.value
            #expect(code.value == .differentSettings)
            #expect(pool.isPaused)
            await pool.shutdown()
        }
    }

    @Test("A process beyond the budget fails if its configuration says so, and otherwise joins when another one leaves")
    func full() async throws {
        let scene = try Scene(processes: 1)
        try await scene.run {
            try await scene.advance { scene.member.status.isMember }
            // Four floors of 2 fit into 8.
            let others = try (0..<3).map { _ in try scene.another(on: scene.store) }
            let running = others.map { other in Task { try await other.run() } }
            try await scene.advance { scene.store.members == 4 }

            let failing = try scene.another(on: scene.store) { $0.whenFull = .fail }
            let code = Box<FleetError.Code?>(nil)
            let failed = Task {
                do { try await failing.run() } catch let error as FleetError { code.value = error.code }
            }
            try await scene.advance { code.value == .fleetIsFull }
            try await failed.value

            let waiting = try scene.another(on: scene.store)
            let waits = Task { try await waiting.run() }
            let asked = scene.store.requests
            try await scene.advance { scene.store.requests > asked + 20 }
            #expect(!waiting.status.isMember)
            // A cancelled member whose pool has no connections leaves at once.
            running[0].cancel()
            try await scene.advance { waiting.status.isMember }
            for task in running + [waits] { task.cancel() }
            try await scene.advance { scene.store.members == 1 }
            for task in running + [waits] { try await task.value }
        }
    }

    @Test("run() cannot be called twice")
    func twice() async throws {
        let scene = try Scene()
        try await scene.run {
            try await scene.advance { scene.member.status.isMember }
            let error = await #expect(throws: FleetError.self) { try await scene.member.run() }
            #expect(error?.code == .alreadyRunning)
            #expect(!scene.pool.isPaused)
        }
    }
}

/// A caller that holds a connection until the test releases it.
private struct Occupant {
    private let end: AsyncStream<Void>.Continuation
    private let task: Task<Void, any Error>

    init(of pool: ConnectionPool<ScriptedStrategy<Int>>) {
        let (ends, end) = AsyncStream.makeStream(of: Void.self)
        self.end = end
        task = Task {
            try await pool.withConnection(timeout: .unlimited) { _ in
                for await _ in ends {}
            }
        }
    }

    func release() async throws {
        end.finish()
        try await task.value
    }
}

extension MemberTests.Scene {
    /// Creates another process of the same fleet.
    fileprivate func another(
        on store: InMemoryFleetStore,
        change: (inout FleetConfiguration) -> Void = { _ in }
    ) throws -> FleetMember<ConnectionPool<ScriptedStrategy<Int>>> {
        var configuration = member.configuration
        change(&configuration)
        let pool = try ConnectionPool(strategy: ScriptedStrategy<Int>(), maxSize: 1)
        return try FleetMember(pool: pool, store: store, configuration: configuration)
    }
}
