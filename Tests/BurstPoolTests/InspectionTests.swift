// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import Testing

@testable import BurstPool

/// Who holds the connections, and who waits for one.
@Suite(.timeLimit(.minutes(5)))
struct InspectionTests {
    @Test("All waiters are listed, however many have waited before", arguments: CoreKind.allCases, [false, true])
    func afterManyWaits(kind: CoreKind, tracksLeases: Bool) async throws {
        try await withTimedPool(kind, maxSize: 4, configure: { $0.tracksLeases = tracksLeases }) { pool, _, _, _ in
            await withTaskGroup(of: Void.self) { group in
                for _ in 0..<40 {
                    group.addTask {
                        for _ in 0..<250 { try? await pool.withConnection { _ in await Task.yield() } }
                    }
                }
            }
            let leases = try await pool.lease(4)
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for _ in 0..<36 { waiters.append(try await pool.startWaiting()) }
            #expect(pool.waiters.count == 36)
            leases.release()
            for waiter in waiters { try await waiter.value.release() }
            #expect(pool.waiters.isEmpty)
        }
    }

    @Test("The table of waiters stays in proportion to the callers that wait at the same time")
    func tableSize() throws {
        let table = WaitTable(tracksPlaces: false)
        let site = _LeaseSite(#fileID, #line, isScoped: true)
        var places: [WaitTable.Place] = []
        // The numbers of waits are close to each other, and come again with another generation.
        for wait in 0..<200_000 {
            let number = UInt64(wait % 48) | UInt64(wait / 48) << 26
            places.append(try #require(table.begin(number, at: 1, site, notesName: false)))
            if places.count > 32 { table.end(places.remove(at: wait % 7)) }
        }
        #expect(table.entries.count == 32)
        #expect(table.cellCount <= 8 * 64)
    }

    @Test("A lease is listed with its place, its age and the name of its task", arguments: CoreKind.allCases)
    func lease(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 2, configure: { $0.tracksLeases = true }) { pool, _, clock, _ in
            try await pool.warmUp(2)
            #expect(pool.leases == [])
            let gate = Gate()
            let line = #line + 2
            let holder = Task(name: "import of the catalogue") {
                try await pool.withConnection { _ in await gate.pass() }
            }
            try await eventually("it holds a connection") { gate.held == 1 }
            let unnamed = try await pool.acquire()
            _ = pool.leases
            clock.advance(by: .seconds(40))
            let leases = pool.leases
            #expect(leases.count == 2)
            let lease = try #require(leases.first { $0.taskName != nil })
            #expect(lease.taskName == "import of the catalogue")
            #expect(lease.location?.description == "BurstPoolTests/InspectionTests.swift:\(line)")
            #expect(lease.age == .seconds(40))
            #expect(!lease.isInternal)
            #expect("\(lease)".contains("for 40.0 s, by BurstPoolTests/InspectionTests.swift:\(line) in task \"import"))
            #expect(Set(leases.map(\.connection)) == [1, 2])
            unnamed.release()
            // The next holder has no name, although the connection had one.
            gate.open()
            try await holder.value
            let all = try await pool.lease(2)
            #expect(pool.leases.allSatisfy { $0.taskName == nil && $0.age == .zero })
            all.release()
        }
    }

    @Test("The age of a lease is known to within a second, although nobody has asked", arguments: CoreKind.allCases)
    func age(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.tracksLeases = true }) { pool, _, clock, _ in
            try await pool.warmUp(1)
            let maintenance = try await MaintenanceStepper(pool, clock)
            let lease = try await pool.acquire()
            try await maintenance.pass(.seconds(20))
            let age = try #require(pool.leases.first).age
            #expect(age > .seconds(18) && age <= .seconds(20))
            lease.release()
        }
    }

    @Test("A caller that was served after a wait is listed like any other", arguments: CoreKind.allCases)
    func served(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.tracksLeases = true }) { pool, _, _, _ in
            let first = try await pool.acquire()
            let gate = Gate()
            let executor = ObservedExecutor()
            let line = #line + 2
            let user = Task(name: "waits first", executorPreference: executor) {
                try await pool.withConnection { _ in await gate.pass() }
            }
            try await eventually("it waits") { executor.isSuspended && pool.statistics.waiting == 1 }
            first.release()
            try await eventually("it has it") { gate.held == 1 }
            let lease = try #require(pool.leases.first)
            #expect(lease.taskName == "waits first")
            #expect(lease.location?.line == line)
            #expect(pool.waiters == [])
            gate.open()
            try await user.value
        }
    }

    @Test("Waiters are listed, the oldest first", arguments: CoreKind.allCases)
    func waiters(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1, configure: { $0.tracksLeases = true }) { pool, _, clock, _ in
            let lease = try await pool.acquire()
            var waiters: [Task<TestLease<TestConnection>, any Error>] = []
            for number in 1...3 {
                let executor = ObservedExecutor()
                waiters.append(
                    Task(name: "waiter \(number)", executorPreference: executor) { try await pool.acquire() }
                )
                try await eventually("it waits") { executor.isSuspended && pool.statistics.waiting == number }
                clock.advance(by: .seconds(1))
            }
            let listed = pool.waiters
            #expect(listed.map(\.taskName) == ["waiter 1", "waiter 2", "waiter 3"])
            #expect(listed.map(\.age) == [.seconds(3), .seconds(2), .seconds(1)])
            #expect(listed.allSatisfy { $0.location?.fileID == "BurstPoolTests/InspectionTests.swift" })
            #expect(pool.health.oldestWait == .seconds(3))
            waiters[1].cancel()
            await #expect(throws: CancellationError.self) { _ = try await waiters[1].value }
            #expect(pool.waiters.map(\.taskName) == ["waiter 1", "waiter 3"])
            lease.release()
            try await waiters[0].value.release()
            try await waiters[2].value.release()
            #expect(pool.waiters == [])
        }
    }

    @Test("Without tracking, leases and waiters are listed without places", arguments: CoreKind.allCases)
    func untracked(kind: CoreKind) async throws {
        try await withTimedPool(kind, maxSize: 1) { pool, _, clock, _ in
            let lease = try await pool.acquire()
            let waiter = try await pool.startWaiting()
            _ = pool.leases
            clock.advance(by: .seconds(2))
            #expect(pool.leases.map(\.location) == [nil])
            #expect(pool.leases.map(\.age) == [.seconds(2)])
            #expect(pool.waiters.map(\.location) == [nil])
            #expect(pool.waiters.map(\.age) == [.seconds(2)])
            lease.release()
            try await waiter.value.release()
        }
    }

    @Test("A connection that the pool itself uses is listed as such", arguments: CoreKind.allCases)
    func internalUse(kind: CoreKind) async throws {
        try await withTimedPool(
            kind,
            maxSize: 1,
            configure: {
                $0.tracksLeases = true
                $0.resetsConnections = true
            }
        ) { pool, strategy, _, _ in
            let gate = Gate()
            strategy.onReset { _ in await gate.pass() }
            try await pool.withConnection { $0.use() }
            try await eventually("it is being reset") { gate.held == 1 }
            #expect(pool.leases.map(\.isInternal) == [true])
            #expect("\(pool.leases)".contains("the pool itself"))
            gate.open()
            try await eventually("it is idle") { pool.statistics.idle == 1 }
        }
    }

    @Test("The snapshot is readable text")
    func snapshot() async throws {
        var configuration = ConnectionPoolConfiguration(maxSize: 1)
        configuration.name = "orders"
        configuration.tracksLeases = true
        let pool = try ConnectionPool(strategy: TestStrategy(), configuration: configuration)
        let lease = try await pool.acquire()
        let waiters = (0..<25).map { _ in Task { try await pool.withConnection { $0.use() } } }
        try await eventually("they wait") { pool.waiters.count == 25 }
        let lines = "\(pool)".split(separator: "\n")
        #expect(lines.first?.hasPrefix("Pool \"orders\": healthy. ") == true)
        #expect(lines.count { $0.hasPrefix("  in use: connection 1, for ") } == 1)
        #expect(lines.count { $0.hasPrefix("  waits: for ") && $0.contains("InspectionTests.swift:") } == 20)
        #expect(lines.last == "  and 5 more callers wait")
        lease.release()
        for waiter in waiters { try await waiter.value }
        await pool.shutdown()
    }

    // MARK: The parts

    @Test("A text is stored in 56 bytes, and never cut within a character")
    func text() {
        let memory = UnsafeMutableRawPointer.allocate(byteCount: AtomicText.byteCount, alignment: 8)
        memory.initializeMemory(as: UInt8.self, repeating: 0, count: AtomicText.byteCount)
        defer { memory.deallocate() }
        let text = AtomicText(memory)
        #expect(text.load() == nil)
        for (stored, loaded) in [
            ("a", "a"), ("eight ch", "eight ch"), ("nine char", "nine char"), ("", nil),
            (String(repeating: "x", count: 56), String(repeating: "x", count: 56)),
            (String(repeating: "x", count: 57), String(repeating: "x", count: 56)),
            (String(repeating: "x", count: 55) + "ü", String(repeating: "x", count: 55)),
            (String(repeating: "é", count: 40), String(repeating: "é", count: 28)),
        ] as [(String, String?)] {
            text.store(stored)
            #expect(text.load() == loaded)
        }
        text.store(nil)
        #expect(text.load() == nil)
    }

    @Test("The table of waits grows, and forgets waits that have ended")
    func table() {
        let table = WaitTable(tracksPlaces: true)
        let site = _LeaseSite(#fileID, 7, isScoped: true)
        #expect(table.earliest == nil)
        // The lower half of the numbers meets the upper half in the same cells while the table is small.
        let places = (0..<1000).map { number in
            table.begin(UInt64(number), at: UInt64(1000 - number), site, notesName: false)
        }
        #expect(places.allSatisfy { $0 != nil })
        #expect(table.entries.map(\.since) == Array(1...1000))
        #expect(table.entries.allSatisfy { $0.location?.line == 7 && $0.taskName == nil })
        #expect(table.earliest == 1)
        for place in places.dropLast(1) { table.end(place) }
        #expect(table.entries.map(\.since) == [1])
        table.end(places.last ?? nil)
        #expect(table.earliest == nil)
        #expect(table.entries.isEmpty)
    }

    @Test("Callers on many threads are each listed once")
    func threads() async {
        let table = WaitTable(tracksPlaces: false)
        await withTaskGroup(of: Void.self) { group in
            for thread in 0..<8 {
                group.addTask { @Sendable in
                    for round in 0..<500 {
                        let number = UInt64(thread * 1000 + round)
                        let site = _LeaseSite(#fileID, #line, isScoped: true)
                        let place = table.begin(number, at: number + 1, site, notesName: false)
                        #expect(table.entries.count { $0.since == number + 1 } == 1)
                        table.end(place)
                    }
                }
            }
        }
        #expect(table.entries.isEmpty)
    }
}
