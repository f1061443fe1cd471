// SPDX-License-Identifier: Apache-2.0

@testable import BurstPool
import Testing

/// The count of connections that the pool itself uses, in each order of the count and the use.
@Suite(.timeLimit(.minutes(1)))
struct InternalUseTests {
    private final class Counter { let use = InternalUse() }
    private let counter = Counter()

    private func end() -> Bool { counter.use.end() }

    private func inUse(while count: () -> Void = {}) -> Int { counter.use.counting(count).inUse }

    @Test("A use counts from its beginning to its end")
    func inOrder() {
        #expect(inUse() == 0)
        counter.use.begin()
        #expect(inUse() == 1)
        counter.use.begin()
        #expect(inUse() == 2)
        #expect(!end())
        #expect(inUse() == 1)
        #expect(!end())
        #expect(inUse() == 0)
    }

    @Test("A use that begins or ends during a count, or both, is counted")
    func meanwhile() {
        #expect(inUse { counter.use.begin() } == 1)
        #expect(inUse { _ = end() } == 1)
        let both = inUse {
            counter.use.begin()
            _ = end()
        }
        #expect(both == 1)
        #expect(inUse() == 0)
    }

    @Test("A waiter for the end of a use is resumed at the next end, once, or immediately if there has been one")
    func awaited() {
        counter.use.begin()
        counter.use.begin()
        let before = counter.use.counting {}
        let hasEndedBefore = counter.use.awaitEnd(since: before)
        #expect(!hasEndedBefore)
        #expect(end())
        #expect(!end())
        let hasEndedSince = counter.use.awaitEnd(since: before)
        #expect(hasEndedSince)
    }
}
