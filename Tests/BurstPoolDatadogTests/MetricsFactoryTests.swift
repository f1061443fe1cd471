// SPDX-License-Identifier: Apache-2.0

import Metrics
import Testing

@testable import BurstPoolDatadog

@Suite("The swift-metrics backend", .timeLimit(.minutes(5)))
struct MetricsFactoryTests {
    /// Returns the messages that are sent when values are recorded with swift-metrics.
    private func sent(
        _ change: (inout DogStatsDMetricsFactory) -> Void = { _ in },
        _ record: (DogStatsDMetricsFactory) -> Void
    ) async throws -> [String] {
        try await messages { client in
            var factory = DogStatsDMetricsFactory(client: client)
            change(&factory)
            record(factory)
        }
    }

    @Test("a counter is a count, with its dimensions as tags")
    func counter() async throws {
        let messages = try await sent { factory in
            let counter = Counter(label: "requests", dimensions: [("path", "/a b"), ("k:l", "v")], factory: factory)
            counter.increment()
            counter.increment(by: 4)
            counter.reset()
            counter.increment()
            counter.destroy()
        }
        #expect(messages == ["requests:6|c|#path:/a_b,k_l:v"])
    }

    @Test("counters with the same label add to the same count, even after one was destroyed")
    func sameCounter() async throws {
        let messages = try await sent { factory in
            let first = Counter(label: "n", factory: factory)
            first.increment()
            Counter(label: "n", factory: factory).increment()
            Counter(label: "n", dimensions: [("a", "b")], factory: factory).increment()
            first.destroy()
            first.increment()
            Counter(label: "n", factory: factory).increment()
        }
        #expect(messages == ["n:4|c", "n:1|c|#a:b"])
    }

    @Test("a floating-point counter is a count")
    func floatingPointCounter() async throws {
        let messages = try await sent { factory in
            let counter = FloatingPointCounter(label: "load", factory: factory)
            counter.increment(by: 0.25)
            counter.increment(by: 1.5)
            counter.increment(by: Double.nan)
            counter.destroy()
        }
        #expect(messages == ["load:1.75|c"])
    }

    @Test("a meter and a gauge are gauges")
    func gauges() async throws {
        let messages = try await sent { factory in
            let meter = Meter(label: "meter", factory: factory)
            meter.set(10)
            meter.increment(by: 2.5)
            meter.decrement(by: 1)
            let gauge = Gauge(label: "gauge", factory: factory)
            gauge.record(3)
            gauge.record(1.5)
            gauge.record(Double.infinity)
            Meter(label: "negative", factory: factory).decrement()
        }
        #expect(messages == ["meter:11.5|g", "gauge:1.5|g", "negative:-1|g"])
    }

    @Test("a meter keeps its value across flushes")
    func meterOverFlushes() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver)
        let meter = Meter(label: "m", factory: DogStatsDMetricsFactory(client: client))
        meter.increment(by: 5)
        await client.flush()
        meter.increment(by: 2)
        await client.flush()
        await client.flush()
        #expect(receiver.take() == ["m:5|g", "m:7|g"])
        await client.shutdown()
    }

    @Test("a recorder that aggregates is a histogram, or a distribution if configured")
    func recorder() async throws {
        let record = { (factory: DogStatsDMetricsFactory) in
            let recorder = Recorder(label: "size", dimensions: [("a", "b")], factory: factory)
            recorder.record(3)
            recorder.record(1.5)
        }
        #expect(try await sent({ _ in }, record) == ["size:3|h|#a:b", "size:1.5|h|#a:b"])
        #expect(try await sent({ $0.recorders = .distribution }, record) == ["size:3|d|#a:b", "size:1.5|d|#a:b"])
    }

    @Test("a timer is a timing in milliseconds, regardless of its preferred unit")
    func timer() async throws {
        let messages = try await sent { factory in
            let timer = Timer(label: "render", dimensions: [("a", "b")], factory: factory)
            timer.recordMilliseconds(12)
            timer.recordNanoseconds(1_500_000)
            timer.recordSeconds(2)
            timer.record(duration: .microseconds(250))
            Timer(label: "unit", preferredDisplayUnit: .seconds, factory: factory).recordSeconds(3)
        }
        #expect(
            messages == [
                "render:12|ms|#a:b", "render:1.5|ms|#a:b", "render:2000|ms|#a:b", "render:0.25|ms|#a:b", "unit:3000|ms",
            ]
        )
    }

    @Test("a timer that is sent as a histogram has its preferred unit")
    func timerUnits() async throws {
        let messages = try await sent({ $0.timers = .values(.distribution) }) { factory in
            Timer(label: "t", factory: factory).recordMilliseconds(1)
            Timer(label: "t", preferredDisplayUnit: .seconds, factory: factory).recordMilliseconds(1500)
            Timer(label: "t", preferredDisplayUnit: .microseconds, factory: factory).recordMilliseconds(1)
        }
        #expect(messages == ["t:1000000|d", "t:1.5|d", "t:1000|d"])
    }

    @Test("values of a metric with an invalid label are dropped and counted")
    func noName() async throws {
        let client = try DogStatsDClient(configuration: quietConfiguration(.udp(host: "127.0.0.1", port: 1)))
        let factory = DogStatsDMetricsFactory(client: client)
        Counter(label: "1", factory: factory).increment()
        Timer(label: "", factory: factory).recordSeconds(1)
        Gauge(label: "?", factory: factory).record(1)
        #expect(client.statistics.messagesDropped(.invalid) == 3)
        await client.shutdown()
    }

    @Test("a metric keeps its client alive")
    func keepsClient() async throws {
        let receiver = try DatagramReceiver()
        weak var client: DogStatsDClient?
        do {
            let counter: Counter
            do {
                let made = try quietClient(to: receiver)
                client = made
                counter = Counter(label: "n", factory: DogStatsDMetricsFactory(client: made))
            }
            counter.increment()
            #expect(client != nil)
        }
        #expect(client == nil)
        var received: [String] = []
        try await eventually("the recorded value arrives") {
            received += receiver.take()
            return received == ["n:1|c"]
        }
    }

    @Test("the backend can be bootstrapped")
    func bootstrap() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver)
        MetricsSystem.bootstrap(DogStatsDMetricsFactory(client: client))
        Counter(label: "global").increment()
        await client.flush()
        #expect(receiver.take() == ["global:1|c"])
    }
}
