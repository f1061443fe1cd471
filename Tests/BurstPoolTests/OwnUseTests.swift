@testable import BurstPool
import Testing

/// What is counted of connections that the pool itself uses, at each order of the count and the use.
@Suite(.timeLimit(.minutes(1)))
struct OwnUseTests {
    private let upkeep = Upkeep(interval: nil)

    private func end() -> Bool { upkeep.ownUse.end() }

    private func inUse(while count: () -> Void = {}) -> Int { upkeep.ownUse.counting(count).inUse }

    @Test("A use counts from its beginning to its end")
    func inOrder() {
        #expect(inUse() == 0)
        upkeep.ownUse.begin()
        #expect(inUse() == 1)
        upkeep.ownUse.begin()
        #expect(inUse() == 2)
        #expect(!end())
        #expect(inUse() == 1)
        #expect(!end())
        #expect(inUse() == 0)
    }

    @Test("A use that begins or ends meanwhile, or both, counts")
    func meanwhile() {
        #expect(inUse { upkeep.ownUse.begin() } == 1)
        #expect(inUse { _ = end() } == 1)
        let both = inUse {
            upkeep.ownUse.begin()
            _ = end()
        }
        #expect(both == 1)
        #expect(inUse() == 0)
    }

    @Test("Who awaits an end is told of the next one, once, or that there has been one")
    func awaited() {
        upkeep.ownUse.begin()
        upkeep.ownUse.begin()
        let before = upkeep.ownUse.counting {}
        let hasEndedBefore = upkeep.ownUse.awaitEnd(since: before)
        #expect(!hasEndedBefore)
        #expect(end())
        #expect(!end())
        let hasEndedSince = upkeep.ownUse.awaitEnd(since: before)
        #expect(hasEndedSince)
    }
}
