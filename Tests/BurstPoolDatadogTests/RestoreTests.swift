// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import Foundation
import InMemoryLogging
import Logging
import Testing

@testable import BurstPoolDatadog

@Suite("Aggregated values that could not be sent", .timeLimit(.minutes(5)))
struct RestoreTests {
    @Test("over a unix socket, counts and gauges of an outage are sent when the agent is there")
    func unixSocket() async throws {
        let path = uniqueSocketPath()
        let client = try DogStatsDClient(configuration: quietConfiguration(.unixSocket(path: path)))
        for number in 1...10 {
            client.count("c", number)
            client.count("f", 0.5)
            client.gauge("g", Double(number))
            await client.flush()
        }
        #expect(client.statistics.messagesSent == 0)
        client.statistics.checkSums()
        let receiver = try DatagramReceiver(path: path)
        await client.flush()
        #expect(receiver.takeMessages().sorted() == ["c:55|c", "f:5|c", "g:10|g"])
        await client.flush()
        #expect(receiver.take() == [])
        await client.shutdown()
    }

    @Test("over UDP, the counts of a datagram that the system reports as lost are sent again")
    func udp() async throws {
        let port = try DatagramReceiver().port
        let client = try DogStatsDClient(configuration: quietConfiguration(.udp(host: "127.0.0.1", port: port)))
        client.count("c", 7)
        await client.flush()
        let receiver = try DatagramReceiver(port: port)
        // The next datagram learns that the previous one was lost.
        client.count("c", 1)
        await client.flush()
        await client.flush()
        let counts = receiver.takeMessages().map { Int($0.split { ":|".contains($0) }[1]) ?? 0 }
        #expect(counts.reduce(0, +) == 8)
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 1)
        await client.shutdown()
    }

    @Test("counts that did not fit into a full queue are sent at the next flush")
    func queueFull() async throws {
        let receiver = try DatagramReceiver()
        let gate = Gate()
        var configuration = quietConfiguration(.udp(host: "agent.test", port: receiver.port))
        configuration.maximumDatagramSize = 64
        configuration.maximumQueuedDatagrams = 1
        let client = try DogStatsDClient(configuration: configuration) { _, port in
            await gate.pass()
            return await SystemNameResolver.resolve(host: "127.0.0.1", port: port)
        }
        for number in 0..<20 { client.count("count.number.\(number)", 1) }
        let flushing = Task { await client.flush() }
        try await eventually("the queue is full") { client.statistics.messagesDropped(.queueFull) > 0 }
        gate.open()
        await flushing.value
        var received = receiver.takeMessages()
        for _ in 0..<20 where received.count < 20 {
            await client.flush()
            received += receiver.takeMessages()
        }
        #expect(received.sorted() == (0..<20).map { "count.number.\($0):1|c" }.sorted())
        await client.shutdown()
    }

    @Test("values that are not aggregated are lost")
    func notAggregated() async throws {
        let path = uniqueSocketPath()
        let client = try DogStatsDClient(configuration: quietConfiguration(.unixSocket(path: path)))
        client.histogram("h", 1)
        await client.flush()
        let receiver = try DatagramReceiver(path: path)
        await client.flush()
        #expect(receiver.take() == [])
        await client.shutdown()
    }
}

@Suite("The log of dropped messages", .timeLimit(.minutes(5)))
struct DropLogTests {
    private func configuration(_ log: InMemoryLogHandler, path: String) -> DogStatsDConfiguration {
        var configuration = quietConfiguration(.unixSocket(path: path))
        configuration.logger = Logger(label: "test") { _ in log }
        configuration.flushInterval = .seconds(1)
        return configuration
    }

    @Test("drops are logged once in an interval, with the number of messages by reason")
    func oncePerInterval() async throws {
        let log = InMemoryLogHandler()
        let clock = ManualClock()
        let receiver = try DatagramReceiver()
        var configuration = configuration(log, path: uniqueSocketPath())
        configuration.address = .udp(host: "agent.test", port: receiver.port)
        configuration.clock = clock
        let client = try DogStatsDClient(configuration: configuration) { _, _ in [] }
        for _ in 0..<25 {
            client.histogram("h", 1)
            await client.flush()
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(1))
            try await clock.waitForSleepers(1)
        }
        // At 1, 11 and 21 seconds.
        try await eventually("three lines are logged") { log.entries.count == 3 }
        #expect(log.entries.allSatisfy { $0.level == .warning })
        #expect(log.entries.map { $0.metadata["agentUnreachable"] } == ["1", "10", "10"])
        #expect(log.entries.first?.metadata["address"] == "udp://agent.test:\(receiver.port)")
        await client.shutdown()
        #expect(log.entries.count == 4)
        #expect(log.entries.last?.metadata["agentUnreachable"] == "4")
    }

    @Test("nothing is logged without drops")
    func noDrops() async throws {
        let log = InMemoryLogHandler()
        let path = uniqueSocketPath()
        let receiver = try DatagramReceiver(path: path)
        let client = try DogStatsDClient(configuration: configuration(log, path: path))
        client.count("n")
        await client.shutdown()
        #expect(receiver.take() == ["n:1|c"])
        #expect(log.entries.isEmpty)
    }

    @Test("a client whose socket does not exist logs it when it is created")
    func missingSocket() async throws {
        let log = InMemoryLogHandler()
        let path = uniqueSocketPath()
        let client = try DogStatsDClient(configuration: configuration(log, path: path))
        #expect(log.entries.map(\.level) == [.warning])
        #expect(log.entries.first?.metadata["address"] == "unix://\(path)")
        #expect(log.entries.first?.metadata["problem"] == "No such file or directory")
        await client.shutdown()
    }

    @Test("a client whose socket is an ordinary file logs it when it is created")
    func notASocket() async throws {
        let log = InMemoryLogHandler()
        let path = uniqueSocketPath()
        try Data().write(to: URL(filePath: path))
        defer { unlink(path) }
        let client = try DogStatsDClient(configuration: configuration(log, path: path))
        #expect(log.entries.first?.metadata["problem"] == "It is not a socket.")
        await client.shutdown()
    }
}
