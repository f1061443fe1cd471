// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Synchronization

/// Samples the pool 50 times a second, keeps the samples, and shows them.
final class Monitor: Sendable {
    static let interval = Duration.milliseconds(20)

    private let context: LoadContext
    private let load: Load
    private let statistics: @Sendable () -> ConnectionPoolStatistics
    private let counts: ConnectionCounts
    private let kills: KillCount
    private let screen: any Screen
    private let task = Mutex<Task<Timeline, Never>?>(nil)

    init(
        context: LoadContext,
        load: Load,
        statistics: @escaping @Sendable () -> ConnectionPoolStatistics,
        counts: ConnectionCounts,
        kills: KillCount,
        screen: any Screen
    ) {
        self.context = context
        self.load = load
        self.statistics = statistics
        self.counts = counts
        self.kills = kills
        self.screen = screen
    }

    func start() {
        // High priority, so that it runs while hundreds of other tasks are ready to run.
        let started = Task(priority: .high) { await self.watch() }
        task.withLock { $0 = started }
    }

    /// Takes a last sample, ends the monitor, and returns all samples.
    func stop() async -> Timeline {
        guard let task = task.withLock({ $0 }) else { return Timeline() }
        task.cancel()
        return await task.value
    }

    private func watch() async -> Timeline {
        var timeline = Timeline()
        var narrator = Narrator(context: context)
        var nextFrame = Duration.zero
        while true {
            let isLast = Task.isCancelled
            let sample = takeSample()
            timeline.append(sample)
            narrator.follow(sample)
            if isLast || sample.time >= nextFrame {
                screen.show(timeline, context)
                nextFrame = sample.time + screen.interval
            }
            if isLast { break }
            try? await Task.sleep(for: Self.interval)
        }
        screen.finish()
        return timeline
    }

    private func takeSample() -> Sample {
        let statistics = self.statistics()
        return Sample(
            time: context.elapsed,
            idle: statistics.idle,
            inUse: statistics.inUse,
            opening: statistics.opening,
            closing: statistics.closing,
            waiting: statistics.waiting,
            commands: load.commandsSoFar,
            errors: load.errorsSoFar,
            opened: counts.opened,
            closed: counts.closed,
            killed: kills.value
        )
    }
}
