@testable import BurstPool
import Testing

/// What is counted of connections that the pool itself uses, at each order of the count and the use.
@Suite(.timeLimit(.minutes(1)))
struct InternalUseTests {
    private let maintenance = Maintenance(interval: nil)

    private func end() -> Bool { maintenance.internalUse.end() }

    private func inUse(while count: () -> Void = {}) -> Int { maintenance.internalUse.counting(count).inUse }

    @Test("A use counts from its beginning to its end")
    func inOrder() {
        #expect(inUse() == 0)
        maintenance.internalUse.begin()
        #expect(inUse() == 1)
        maintenance.internalUse.begin()
        #expect(inUse() == 2)
        #expect(!end())
        #expect(inUse() == 1)
        #expect(!end())
        #expect(inUse() == 0)
    }

    @Test("A use that begins or ends meanwhile, or both, counts")
    func meanwhile() {
        #expect(inUse { maintenance.internalUse.begin() } == 1)
        #expect(inUse { _ = end() } == 1)
        let both = inUse {
            maintenance.internalUse.begin()
            _ = end()
        }
        #expect(both == 1)
        #expect(inUse() == 0)
    }

    @Test("Who awaits an end is told of the next one, once, or that there has been one")
    func awaited() {
        maintenance.internalUse.begin()
        maintenance.internalUse.begin()
        let before = maintenance.internalUse.counting {}
        let hasEndedBefore = maintenance.internalUse.awaitEnd(since: before)
        #expect(!hasEndedBefore)
        #expect(end())
        #expect(!end())
        let hasEndedSince = maintenance.internalUse.awaitEnd(since: before)
        #expect(hasEndedSince)
    }
}
