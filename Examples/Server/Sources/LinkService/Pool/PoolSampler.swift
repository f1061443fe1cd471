import BurstPool
import Foundation
import NIOCore
import ServiceLifecycle
import Synchronization

/// Looks at the pool many times a second, and tells all viewers, who share this one sampler.
///
/// It looks also while nobody views, so that who comes sees the last minute. A look is a walk over a few dozen connections.
final class PoolSampler: Service {
    /// How often viewers are told.
    static let interval = Duration.milliseconds(200)
    /// Looks for each sample, which tells their greatest values and averages.
    static let looksPerSample = 8
    /// How many samples a new viewer is told: a minute.
    static let historyLength = 300
    /// How many events wait for a viewer that reads slowly. It then misses some.
    private static let backlog = historyLength + 25

    /// What a sample is made of, beside its time and peaks.
    struct Reading: Sendable {
        var statistics: ConnectionPoolStatistics
        var requests: RequestCounts.Snapshot
        var redisAnswers: Bool
    }

    private let read: @Sendable () -> Reading
    private let audience = Mutex(Audience())

    private struct Audience {
        var history: [(time: Int, event: ByteBuffer)] = []
        var viewers: [Int: AsyncStream<ByteBuffer>.Continuation] = [:]
        var nextViewer = 0
        var hasEnded = false
    }

    init(read: @escaping @Sendable () -> Reading) {
        self.read = read
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
        let pause = Self.interval / Self.looksPerSample
        var next = ContinuousClock.now
        while true {
            var looks = PoolLooks()
            for _ in 0..<Self.looksPerSample {
                // Not counted from the look before, so that delays do not add up; nor made up for.
                next = max(next + pause, .now)
                try await Task.sleep(until: next, clock: .continuous)
                looks.note(read().statistics)
            }
            publish(looks)
        }
    }

    private func publish(_ looks: PoolLooks) {
        let reading = read()
        var looks = looks
        looks.note(reading.statistics)
        let sample = PoolSample(
            time: Int(Date.now.timeIntervalSince1970 * 1000),
            pool: PoolState(reading.statistics),
            peak: looks.peak,
            mean: looks.mean,
            requests: reading.requests.answered,
            unavailable: reading.requests.unavailable,
            redisAnswers: reading.redisAnswers
        )
        let event = ServerSentEvent.encode(sample, id: sample.time)
        audience.withLock { audience in
            if audience.history.count == Self.historyLength { audience.history.removeFirst() }
            audience.history.append((sample.time, event))
            for viewer in audience.viewers.values { viewer.yield(event) }
        }
    }

    /// The events for one viewer: those of the last minute, then each as it comes. They end when the viewer stops
    /// iterating, with ``Viewing/end()``, and when the sampler ends.
    ///
    /// - Parameter latest: The time of the sample that the viewer has seen last, if it comes back.
    func view(since latest: Int? = nil) -> Viewing {
        let (events, viewer) = AsyncStream.makeStream(
            of: ByteBuffer.self,
            bufferingPolicy: .bufferingNewest(Self.backlog)
        )
        audience.withLock { audience in
            // In the same critical section, so that no sample comes between and is missed or told twice.
            for (time, event) in audience.history where time > latest ?? .min { viewer.yield(event) }
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

    /// How many viewers there are.
    var viewerCount: Int { audience.withLock { $0.viewers.count } }

    struct Viewing: Sendable {
        let events: AsyncStream<ByteBuffer>
        fileprivate let viewer: AsyncStream<ByteBuffer>.Continuation

        func end() { viewer.finish() }
    }
}
