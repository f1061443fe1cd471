// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

/// Each way in which a call of the strategy can end, at each stage of an acquire, with each interruption.
@Suite(.timeLimit(.minutes(10)))
struct FaultMatrixTests {
    @Test("Every combination ends as documented, leaves nothing behind, and does not delay other callers")
    func everyCombination() async throws {
        #expect(Fault.all.count == 30)
        #expect(Combination.all.count == 8 * 7 * 30)
        let (played, met) = await play(Combination.all, .publicPool)
        #expect(played == 1680)
        // Not every stage makes every call.
        #expect(met > 500)
        print("fault matrix: \(played) combinations, \(met) of which met their fault")
    }

    @Test(
        "Every third combination does so on the other cores",
        arguments: CoreKind.allCases.filter { $0 != .publicPool }
    )
    func otherCores(kind: CoreKind) async throws {
        // Thirty is a multiple of three. The offset varies which third of the faults is chosen.
        let third = Combination.all.enumerated().filter { ($0.offset + $0.offset / 30) % 3 == 0 }.map(\.element)
        #expect(await play(third, kind).played == 560)
    }

    private func play(_ combinations: [Combination], _ kind: CoreKind) async -> (played: Int, met: Int) {
        var played = 0
        var met = 0
        for combination in combinations {
            do {
                if try await FaultScene.play(combination, kind) { met += 1 }
                played += 1
            } catch is NeverCameAbout {
                // The error was already recorded.
            } catch {
                Issue.record("\(combination): \(error)")
            }
        }
        return (played, met)
    }
}
