// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import Testing

@testable import BurstPoolDatadog

@Suite("The client's own telemetry", .timeLimit(.minutes(5)))
struct TelemetryTests {
    @Test("the increments of its numbers are sent every 10 seconds, without the prefix and with the global tags")
    func telemetry() async throws {
        let clock = ManualClock()
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver) {
            $0.clock = clock
            $0.flushInterval = .seconds(5)
            $0.sendsTelemetry = true
            $0.prefix = "shop"
            $0.globalTags = ["env:dev"]
        }
        client.histogram("h", 1)
        client.event(title: "t", text: "x")
        client.serviceCheck("s", .ok)
        await client.flush()
        let bytes = receiver.take().map(\.utf8.count)
        #expect(bytes.count == 1)

        func nextFlush() async throws -> [String] {
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(5))
            try await clock.waitForSleepers(1)
            await client.flush()
            return receiver.takeMessages()
        }
        #expect(try await nextFlush() == [])
        let tags = "|c|#client:swift-burst-pool,client_transport:udp,env:dev"
        #expect(
            try await nextFlush() == [
                "datadog.dogstatsd.client.metrics:1\(tags)",
                "datadog.dogstatsd.client.events:1\(tags)",
                "datadog.dogstatsd.client.service_checks:1\(tags)",
                "datadog.dogstatsd.client.packets_sent:1\(tags)",
                "datadog.dogstatsd.client.bytes_sent:\(bytes[0])\(tags)",
            ]
        )
        #expect(try await nextFlush() == [])
        // The previous report is the only message since.
        let second = try await nextFlush()
        #expect(second.contains("datadog.dogstatsd.client.metrics:5\(tags)"), "\(second)")
        #expect(second.contains("datadog.dogstatsd.client.packets_sent:1\(tags)"), "\(second)")
        await client.shutdown()
    }

    @Test("drops are reported when the agent is back")
    func drops() async throws {
        let clock = ManualClock()
        let path = uniqueSocketPath()
        var configuration = quietConfiguration(.unixSocket(path: path))
        configuration.clock = clock
        configuration.flushInterval = .seconds(10)
        configuration.sendsTelemetry = true
        let client = try DogStatsDClient(configuration: configuration)
        client.histogram("h", 1)
        await client.flush()
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 1)
        let receiver = try DatagramReceiver(path: path)
        try await clock.waitForSleepers(1)
        clock.advance(by: .seconds(10))
        try await clock.waitForSleepers(1)
        await client.flush()
        let sent = receiver.takeMessages()
        let tags = "|c|#client:swift-burst-pool,client_transport:uds"
        #expect(sent.contains("datadog.dogstatsd.client.packets_dropped:1\(tags)"), "\(sent)")
        #expect(sent.contains("datadog.dogstatsd.client.bytes_dropped:5\(tags)"), "\(sent)")
        await client.shutdown()
    }

    @Test("the reports add up to all datagrams, including those of an outage and those before the shutdown")
    func complete() async throws {
        let clock = ManualClock()
        let path = uniqueSocketPath()
        var configuration = quietConfiguration(.unixSocket(path: path))
        configuration.clock = clock
        configuration.flushInterval = .seconds(10)
        configuration.sendsTelemetry = true
        let client = try DogStatsDClient(configuration: configuration)
        // The reports of these intervals cannot be sent.
        for _ in 0..<3 {
            client.histogram("h", 1)
            await client.flush()
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(10))
            try await clock.waitForSleepers(1)
            await client.flush()
        }
        let receiver = try DatagramReceiver(path: path)
        client.histogram("h", 1)
        await client.shutdown()
        var reported: [String: Int] = [:]
        for message in receiver.takeMessages() where message.hasPrefix("datadog.") {
            let parts = message.split { ":|".contains($0) }
            reported[String(parts[0].split(separator: ".").last!), default: 0] += Int(parts[1]) ?? 0
        }
        let statistics = client.statistics
        // The datagram with the last report cannot report itself.
        #expect(reported["packets_sent"] == statistics.datagramsSent - 1)
        #expect(reported["packets_dropped"] == statistics.datagramsDropped)
        #expect(reported["bytes_dropped"] == statistics.bytesDropped)
    }
}
