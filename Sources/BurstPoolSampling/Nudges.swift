import Synchronization

/// Any number of nudges, of which those that come before the next look at them count as one.
final class Nudges: Sendable {
    private let isPending = Atomic(false)
    private let stream: AsyncStream<Void>
    private let continuation: AsyncStream<Void>.Continuation

    init() {
        (stream, continuation) = AsyncStream.makeStream(bufferingPolicy: .bufferingNewest(1))
    }

    func nudge() {
        // Partner of the fence in next(): either this sees that the flag was taken, or what was changed before this call
        // is seen by who has taken it. Only loaded while it is set, so that those who nudge do not take the cache line
        // from each other.
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        if isPending.load(ordering: .relaxed) { return }
        if !isPending.exchange(true, ordering: .relaxed) { continuation.yield() }
    }

    /// Waits for a nudge. `false`: the task was cancelled.
    func next() async -> Bool {
        var iterator = stream.makeAsyncIterator()
        guard await iterator.next() != nil else { return false }
        isPending.store(false, ordering: .relaxed)
        atomicMemoryFence(ordering: .sequentiallyConsistent)
        return true
    }
}
