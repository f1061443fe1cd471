// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolSampling

/// Sends metrics, events and service checks to a Datadog agent or another DogStatsD server.
///
/// ```swift
/// let datadog = try DogStatsDClient(configuration: .fromEnvironment())
/// datadog.count("pages.viewed", tags: ["section:news"])
/// datadog.timing("page.rendered", .milliseconds(12))
/// await datadog.shutdown()
/// ```
///
/// Recording never waits for the agent, the network or the system. The client aggregates a value until the next flush or
/// appends it to a datagram in memory, and a background task sends the datagrams. Recording never throws: messages that
/// cannot be sent are dropped and counted by reason in ``statistics``, and the client logs that it dropped messages. The
/// values of aggregated counts and gauges are sent again at the next flush. The client finds a lost agent again by itself.
///
/// All methods can be called from any thread or task. A client that is no longer referenced sends its remaining messages and
/// ends; ``shutdown()`` waits for this.
///
/// The client replaces invalid characters in names and tags. See ``DogStatsDTag`` for tags. In a metric name, everything
/// before the first letter is removed, and every character other than an ASCII letter, a digit, `_` or `.` becomes an
/// underscore.
public final class DogStatsDClient: Sendable {
    let recorder: MessageRecorder
    private let flushing: Task<Void, Never>

    /// Creates a client and starts its two tasks, one that sends and one that flushes periodically.
    ///
    /// The client sends nothing and resolves no name before the first message. The agent need not be running.
    ///
    /// - Throws: ``DogStatsDError``, which names the invalid setting.
    public convenience init(
        configuration: DogStatsDConfiguration = DogStatsDConfiguration()
    ) throws(DogStatsDError) {
        try self.init(configuration: configuration, resolve: SystemNameResolver.resolve)
    }

    init(configuration: DogStatsDConfiguration, resolve: @escaping NameResolver) throws(DogStatsDError) {
        try configuration.validate()
        let recorder = MessageRecorder(configuration)
        self.recorder = recorder
        let clock = configuration.clock
        configuration.logMissingSocket()
        // Detached, so that the tasks do not inherit the task-local values of the task that creates the client.
        Task.detached {
            var sender = Sender(
                queue: recorder.queue,
                address: configuration.address,
                clock: clock,
                resolve: resolve,
                restore: { recorder.restore($0) }
            )
            await sender.run()
        }
        flushing = Task.detached {
            // The sleep throws when the task is cancelled.
            while (try? await clock.sleep(for: min(configuration.flushInterval, .longestSleep))) != nil {
                recorder.recordTelemetryIfDue()
                recorder.collect()
                recorder.queue.sendCurrent()
                recorder.logDropsIfDue()
            }
        }
    }

    deinit {
        flushing.cancel()
        recorder.close()
    }

    /// The numbers of messages, datagrams and bytes that were sent and dropped. Reading them costs as much as a metric.
    public var statistics: DogStatsDStatistics { recorder.queue.statistics }

    /// Waits until everything recorded before the call was passed to the system or dropped.
    ///
    /// The first time, this includes the resolution of the agent's name, which can take seconds. An agent that does not read
    /// delays it by up to 100 milliseconds. Cancellation does not shorten it.
    public func flush() async {
        recorder.collect()
        await recorder.queue.drain()
    }

    /// Sends the remaining messages, closes the socket, and drops everything that is recorded from then on.
    ///
    /// Can be called several times, also concurrently. Every call returns when the shutdown is complete. Values that other
    /// threads record during the first call may or may not be sent.
    public func shutdown() async {
        flushing.cancel()
        // So that the last telemetry counts these datagrams.
        if !recorder.isClosed { await flush() }
        recorder.close()
        await recorder.queue.drain()
        recorder.logDrops()
    }
}
