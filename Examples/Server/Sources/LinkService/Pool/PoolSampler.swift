// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Foundation
import NIOCore
import ServiceLifecycle
import Synchronization

/// Reads the statistics of the pools 40 times a second, and sends samples to all viewers of the page.
///
/// It also samples while nobody views the page, so that a new viewer sees the last hour. A reading visits a few dozen
/// connections.
final class PoolSampler: Service {
    /// The time between two samples.
    static var interval: Duration { .milliseconds(200) }
    /// The number of readings that a sample summarizes.
    static var readingsPerSample: Int { 8 }
    /// The number of samples that a coarse sample summarizes.
    static var samplesPerCoarseSample: Int { 25 }
    /// The number of events that wait for a viewer that reads slowly. Such a viewer misses older events.
    private static var backlog: Int { SampleHistory.fineLength + SampleHistory.coarseLength + 25 }

    let databases: [any LinkSource]
    private let requests: @Sendable () -> RequestCounts.Snapshot
    private let audience = Mutex(Audience())

    private struct Audience {
        var history = SampleHistory()
        var viewers: [Int: AsyncStream<ByteBuffer>.Continuation] = [:]
        var nextViewer = 0
        var hasEnded = false
    }

    init(databases: [any LinkSource], requests: @escaping @Sendable () -> RequestCounts.Snapshot) {
        self.databases = databases
        self.requests = requests
    }

    func run() async {
        try? await cancelWhenGracefulShutdown { try await self.sample() }
        let viewers = audience.withLock { audience in
            audience.hasEnded = true
            return audience.viewers
        }
        for viewer in viewers.values { viewer.finish() }
    }

    private func sample() async throws {
        let pause = Self.interval / Self.readingsPerSample
        var next = ContinuousClock.now
        while true {
            var coarse = databases.map { _ in PoolPeriod() }
            for _ in 0..<Self.samplesPerCoarseSample {
                var fine = databases.map { _ in PoolPeriod() }
                for _ in 0..<Self.readingsPerSample {
                    // Adding to the previous deadline keeps delays from adding up. Missed readings are skipped.
                    next = max(next + pause, .now)
                    try await Task.sleep(until: next, clock: .continuous)
                    for (index, database) in databases.enumerated() { fine[index].note(database.pool.statistics) }
                }
                for (index, database) in databases.enumerated() {
                    fine[index].note(database.latencies.take(), answers: database.reachability.isReachable)
                    coarse[index].merge(fine[index])
                }
                publish(fine, isCoarse: false)
            }
            publish(coarse, isCoarse: true)
        }
    }

    private func publish(_ periods: [PoolPeriod], isCoarse: Bool) {
        let requests = requests()
        let span = Self.interval * (isCoarse ? Self.samplesPerCoarseSample : 1)
        let sample = PoolSample(
            time: Int(Date.now.timeIntervalSince1970 * 1000),
            span: Int(span / .milliseconds(1)),
            requests: requests.answered,
            unavailable: requests.unavailable,
            pools: zip(databases, periods).map { database, period in
                period.entry(of: database)
            }
        )
        let event = SampleHistory.Event(time: sample.time, text: ServerSentEvent.encode(sample, id: sample.time))
        audience.withLock { audience in
            audience.history.add(event, isCoarse: isCoarse)
            for viewer in audience.viewers.values { viewer.yield(event.text) }
        }
    }

    /// Adds a viewer, which receives the samples of the past and then each new sample. The events end with ``Viewing/end()``,
    /// when the viewer stops iterating, and when the sampler ends.
    ///
    /// - Parameter latest: The time of the last sample that a returning viewer has received.
    func view(since latest: Int? = nil) -> Viewing {
        let (events, viewer) = AsyncStream.makeStream(
            of: ByteBuffer.self,
            bufferingPolicy: .bufferingNewest(Self.backlog)
        )
        audience.withLock { audience in
            // In the same critical section, so that no sample is missed or sent twice.
            for event in audience.history.events(after: latest ?? .min) { viewer.yield(event.text) }
            if audience.hasEnded {
                viewer.finish()
                return
            }
            let number = audience.nextViewer
            audience.nextViewer += 1
            audience.viewers[number] = viewer
            viewer.onTermination = { [weak self] _ in
                self?.audience.withLock { _ = $0.viewers.removeValue(forKey: number) }
            }
        }
        return Viewing(events: events, viewer: viewer)
    }

    /// The number of viewers.
    var viewerCount: Int { audience.withLock { $0.viewers.count } }

    struct Viewing: Sendable {
        let events: AsyncStream<ByteBuffer>
        fileprivate let viewer: AsyncStream<ByteBuffer>.Continuation

        func end() { viewer.finish() }
    }
}
