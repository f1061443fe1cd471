import BurstPool
import Testing

/// Each way a call of the strategy can go, at each stage of an acquire, whatever else happens meanwhile.
@Suite(.timeLimit(.minutes(10)))
struct FaultMatrixTests {
    @Test("Every combination ends as documented, leaves nothing behind, and holds up nobody else")
    func everyCombination() async throws {
        #expect(Fault.all.count == 30)
        #expect(Combination.all.count == 8 * 7 * 30)
        let (played, met) = await play(Combination.all, .publicPool)
        #expect(played == 1680)
        // Not each stage comes by each call.
        #expect(met > 500)
        print("fault matrix: \(played) combinations, of which \(met) have met their fault")
    }

    @Test(
        "Every third combination does so on the other cores",
        arguments: CoreKind.allCases.filter { $0 != .publicPool }
    )
    func otherCores(kind: CoreKind) async throws {
        // Thirty is a multiple of three: so that it is not always the same third of the faults.
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
                // It has been recorded.
            } catch {
                Issue.record("\(combination): \(error)")
            }
        }
        return (played, met)
    }
}
