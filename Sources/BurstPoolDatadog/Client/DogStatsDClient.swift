import BurstPool

/// Sends metrics, events and service checks to a Datadog agent, or whatever else speaks DogStatsD.
///
/// ```swift
/// let datadog = try DogStatsDClient(configuration: .fromEnvironment())
/// datadog.count("pages.viewed", tags: ["section:news"])
/// datadog.timing("page.rendered", .milliseconds(12))
/// await datadog.shutdown()
/// ```
///
/// Recording never waits for the agent, for the network or for the system: a metric is appended to a datagram in memory, or
/// added to what is sent at the next flush, and a task sends the datagrams. What cannot be sent is dropped and counted, by
/// reason, in ``statistics``; nothing that is recorded makes an error. When the agent is away the client goes on, and finds
/// the agent again by itself.
///
/// All methods can be called from any thread or task at any time. A client that is no longer referred to sends what it still
/// has and ends; ``shutdown()`` waits for that.
///
/// What the protocol does not allow in a name or a tag is replaced, not refused: see ``DogStatsDTag`` for tags. In the name
/// of a metric everything up to the first letter is left out, and each character that is no ASCII letter, digit, `_` or `.`
/// becomes an underscore.
public final class DogStatsDClient: Sendable {
    let recorder: MessageRecorder
    private let flushing: Task<Void, Never>

    /// Makes a client, and starts its two tasks: one that sends, and one that has it send at every flush.
    ///
    /// Nothing is sent, and no name is resolved, before there is something to send. It does not matter whether an agent is
    /// there.
    ///
    /// - Throws: ``DogStatsDError``, naming the setting that makes no sense.
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
        // Detached, because what a task inherits belongs to whoever happens to make the client.
        Task.detached {
            var sender = Sender(queue: recorder.queue, address: configuration.address, clock: clock, resolve: resolve)
            await sender.run()
        }
        flushing = Task.detached {
            // Ends when it is cancelled, which makes the sleep throw.
            while (try? await clock.sleep(for: min(configuration.flushInterval, .longestSleep))) != nil {
                recorder.sendTelemetryIfDue()
                recorder.collect()
                recorder.queue.sendCurrent()
            }
        }
    }

    deinit {
        flushing.cancel()
        recorder.close()
    }

    /// What has become of everything so far. A snapshot, at the price of a recorded metric.
    public var statistics: DogStatsDStatistics { recorder.queue.statistics }

    /// Waits until everything that was recorded before the call has been handed to the system or dropped.
    ///
    /// Where the agent is given by name this includes the time that the system takes to resolve it, at the first time, which
    /// can be seconds. An agent that has stopped reading delays it by a tenth of a second. Cancelling the caller does not
    /// shorten it.
    public func flush() async {
        recorder.collect()
        await recorder.queue.drain()
    }

    /// Sends what there is, as ``flush()`` does, and ends: the socket is closed, and what is recorded from now on is dropped.
    ///
    /// Can be called any number of times, also at the same time: every call returns when all is done. What other threads
    /// record while the first call starts may still be sent, or not.
    public func shutdown() async {
        flushing.cancel()
        recorder.close()
        await recorder.queue.drain()
    }
}
