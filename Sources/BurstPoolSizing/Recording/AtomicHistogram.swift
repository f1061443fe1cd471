// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A histogram that several threads record in at the same time, without a lock. It has a fixed size of 10 KiB.
final class AtomicHistogram: Sendable {
    nonisolated(unsafe) private let buckets: UnsafeMutableBufferPointer<Atomic<UInt64>>

    init() {
        buckets = .allocate(capacity: HistogramBuckets.count)
        for index in buckets.indices { buckets.initializeElement(at: index, to: Atomic(0)) }
    }

    deinit {
        buckets.deinitialize()
        buckets.deallocate()
    }

    func record(_ duration: Duration) {
        buckets[HistogramBuckets.index(of: duration.wholeNanoseconds)].add(1, ordering: .relaxed)
    }

    func reset() {
        for index in buckets.indices { buckets[index].store(0, ordering: .relaxed) }
    }

    var histogram: DurationHistogram {
        DurationHistogram(counts: buckets.indices.map { buckets[$0].load(ordering: .relaxed) })
    }
}
