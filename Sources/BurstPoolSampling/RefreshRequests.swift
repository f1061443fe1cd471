// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Requests for a refresh. Several requests before the next refresh count as one.
final class RefreshRequests: Sendable {
    private let isPending = Atomic(false)
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    /// Requests a refresh. Costs a fence and a load if one is already pending.
    func request() {
        // This fence pairs with the one in `next()`. Either this thread sees that the flag was cleared and sets it again,
        // or the refresh that cleared the flag sees everything that this thread changed before the call. The flag is loaded
        // before it is exchanged so that many requesting threads do not take the cache line from each other.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if isPending.load(ordering: .relaxed) { return }
        if !isPending.exchange(true, ordering: .relaxed) { continuation.yield() }
    }

    /// Waits for a request. Returns `false` if the task was cancelled.
    func next() async -> Bool {
        var iterator = stream.makeAsyncIterator()
        guard await iterator.next() != nil else { return false }
        isPending.store(false, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return true
    }
}
