// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Foundation
import Testing

/// Records histories of callers on real threads, through the pool's engine, on each core, and checks them for errors
/// that no single caller can see.
///
/// The environment variable `HISTORY_LIVES` sets the number of lives.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct HistoryTests {
    private static let lives = ProcessInfo.processInfo.environment["HISTORY_LIVES"].flatMap { Int($0) } ?? 6

    @Test(
        "Whatever callers do at the same time, the history is one of a pool that does one thing after another",
        arguments: CoreKind.cores
    )
    func histories(kind: CoreKind) async throws {
        let executor = ThreadsExecutor(threads: 6)
        defer { executor.stop() }
        var kinds: Set<HistoryEvent.Kind> = []
        for _ in 0..<Self.lives {
            let seed = UInt64.random(in: 0 ..< .max)
            let life = try HistoryLife(kind, executor: executor, seed: seed)
            let (history, complaints) = await life.live()
            #expect(complaints.isEmpty, "seed \(seed)")
            #expect(throws: Never.self, "seed \(seed)") { try HistoryChecker.check(history) }
            #expect(history.connectionUses.count > 100, "seed \(seed)")
            kinds.formUnion(history.events.map(\.kind))
        }
        // Histories without a kind of event prove nothing about it.
        let missing = Set(HistoryEvent.Kind.allCases).subtracting(kinds)
        #expect(missing.isEmpty)
    }

    @Test("The history of a faulty core is rejected, for the right reason", arguments: CoreFault.allCases)
    func rejectsFaultyCore(fault: CoreFault) async throws {
        let executor = ThreadsExecutor(threads: 6)
        defer { executor.stop() }
        let reasons: [HistoryChecker.Rule] =
            switch fault {
            case .newCallersOvertake: [.overtaken]
            case .opensOneMoreThanAllowed: [.overLimit]
            case .miscounts: [.inexactStatistics]
            }
        // Not every life has the situation in which a fault shows.
        for _ in 0..<20 {
            let seed = UInt64.random(in: 0 ..< .max)
            let (history, _) = try await HistoryLife(.mutex, executor: executor, seed: seed, fault: fault).live()
            do {
                try HistoryChecker.check(history)
            } catch {
                #expect(reasons.contains(error.rule), "\(error)")
                return
            }
        }
        Issue.record("\(fault) was never noticed")
    }
}
