// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@Suite("Group: fairness", .timeLimit(.minutes(2)))
struct GroupFairnessTests {
    /// Callers of one key that use connections one after the other until they are stopped.
    private struct Load {
        private let tasks: [Task<Void, any Error>]
        let served = Shared(0)

        init(_ group: TenantGroup, _ key: String, callers: Int) {
            tasks = (0..<callers).map { [served] _ in
                Task {
                    while !Task.isCancelled {
                        try await group.withConnection(for: key) { await $0.use(2) }
                        served.change { $0 += 1 }
                    }
                }
            }
        }

        func stop() async {
            for task in tasks { task.cancel() }
            for task in tasks { _ = await task.result }
        }
    }

    @Test("A busy key that has all places gives one to a quiet key at the next release")
    func quietKey() async throws {
        try await withGroup(maxTotal: 4, perKey: 8) { group, server in
            let busy = Load(group, "busy", callers: 32)
            try await eventually("the busy key has all places") { group.account(for: "busy")?.places == 4 }
            for _ in 0..<20 {
                let before = busy.served.value
                try await group.withConnection(for: "quiet") { _ in }
                // As many leases can end while the connections close and open, but not the whole queue again and again.
                #expect(busy.served.value - before < 2_000)
            }
            #expect(try #require(group.account(for: "busy")).yields > 0)
            await busy.stop()
        }
    }

    @Test("Two busy keys share the places by their weights", arguments: [1, 3])
    func weights(weight: Int) async throws {
        try await withGroup(maxTotal: 8, perKey: 8) { _ in
        } settings: { key, settings in
            if key == "heavy" { settings.weight = weight }
        } _: { group, server in
            let light = Load(group, "light", callers: 32)
            try await eventually("the first key has all places") { group.account(for: "light")?.places == 8 }
            let heavy = Load(group, "heavy", callers: 32)
            try await eventually("the places are shared") {
                group.account(for: "heavy")?.places == 8 * weight / (1 + weight)
            }
            // They stay shared: nobody yields for nothing.
            try await eventually("both work") { light.served.value > 500 && heavy.served.value > 500 }
            let yields = try #require(group.account(for: "heavy")).yields + #require(group.account(for: "light")).yields
            let before = heavy.served.value
            try await eventually("work goes on") { heavy.served.value > before + 500 }
            let yieldsLater =
                try #require(group.account(for: "heavy")).yields + #require(group.account(for: "light")).yields
            #expect(yieldsLater - yields <= 8)
            await heavy.stop()
            await light.stop()
        }
    }

    @Test("More busy keys than places take turns")
    func turns() async throws {
        try await withGroup(maxTotal: 2, perKey: 2) {
            $0.leasesPerTurn = 8
        } _: { group, server in
            let loads = (0..<6).map { Load(group, "key \($0)", callers: 8) }
            try await eventually("every key is served again and again") {
                loads.allSatisfy { $0.served.value > 100 }
            }
            for load in loads { await load.stop() }
            for number in 0..<6 {
                let account = try #require(group.account(for: "key \(number)"))
                #expect(account.grants > 0)
            }
        }
    }
}
