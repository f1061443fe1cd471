// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import Foundation
import Synchronization
import Testing

@testable import BurstPoolDatadog

@Suite("An unreachable agent", .timeLimit(.minutes(5)))
struct AgentAwayTests {
    /// A local port at which nothing listens.
    private func closedPort() throws -> Int { try DatagramReceiver().port }

    @Test("over UDP nothing fails, and messages that the system reports as lost are counted")
    func udpAway() async throws {
        let client = try DogStatsDClient(
            configuration: quietConfiguration(.udp(host: "127.0.0.1", port: try closedPort()))
        )
        for _ in 0..<10 {
            client.histogram("n", 1)
            await client.flush()
            client.statistics.checkSums()
        }
        // Each error is about the previous datagram, so nothing is known about the last one.
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 9)
        #expect(client.statistics.datagramsDropped == 9)
        #expect(client.statistics.messagesSent == 1)
        #expect(client.statistics.datagramsSent == 1)
        await client.shutdown()
    }

    @Test("over UDP an agent that comes and goes receives every message that is sent while it is there")
    func udpComesAndGoes() async throws {
        let port = try closedPort()
        let client = try DogStatsDClient(configuration: quietConfiguration(.udp(host: "127.0.0.1", port: port)))
        for round in 1...3 {
            client.histogram("away\(round)", 1)
            await client.flush()
            let receiver = try DatagramReceiver(port: port)
            // This includes the first message, although the system reports the loss of the previous one with it.
            for number in 1...5 {
                client.histogram("there", Double(number))
                await client.flush()
                #expect(receiver.take() == ["there:\(number)|h"])
            }
        }
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 3)
        #expect(client.statistics.messagesSent == 15)
        await client.shutdown()
    }

    @Test("messages are dropped and counted while the unix socket does not exist")
    func unixAway() async throws {
        let client = try DogStatsDClient(configuration: quietConfiguration(.unixSocket(path: uniqueSocketPath())))
        for _ in 0..<10 {
            client.histogram("n", 1)
            client.set("g", "1")
            await client.flush()
            client.statistics.checkSums()
        }
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 20)
        #expect(client.statistics.datagramsDropped == 10)
        #expect(client.statistics.messagesSent == 0)
        await client.shutdown()
    }

    @Test("over a unix socket the next datagram finds an agent that starts, stops and starts again")
    func unixComesAndGoes() async throws {
        let path = uniqueSocketPath()
        let client = try DogStatsDClient(configuration: quietConfiguration(.unixSocket(path: path)))
        for round in 1...3 {
            client.histogram("away", 1)
            await client.flush()
            do {
                let receiver = try DatagramReceiver(path: path)
                for number in 1...5 {
                    client.histogram("there", Double(number))
                    await client.flush()
                    #expect(receiver.take() == ["there:\(number)|h"])
                }
            }
            #expect(client.statistics.messagesDropped(.agentUnreachable) == round)
        }
        #expect(client.statistics.messagesSent == 15)
        await client.shutdown()
    }

    @Test("a unix socket that is replaced is found without losing a message")
    func unixReplaced() async throws {
        let path = uniqueSocketPath()
        var receiver: DatagramReceiver? = try DatagramReceiver(path: path)
        let client = try DogStatsDClient(configuration: quietConfiguration(.unixSocket(path: path)))
        for number in 1...3 {
            client.histogram("n", Double(number))
            await client.flush()
            #expect(receiver?.take() == ["n:\(number)|h"])
            // The agent restarts between two datagrams.
            receiver = nil
            receiver = try DatagramReceiver(path: path)
        }
        #expect(client.statistics.messagesDropped == 0)
        await client.shutdown()
    }

    @Test("a file at the path that is not a datagram socket causes counted drops and no failure")
    func notASocket() async throws {
        let path = uniqueSocketPath()
        try Data().write(to: URL(filePath: path))
        defer { unlink(path) }
        let client = try DogStatsDClient(configuration: quietConfiguration(.unixSocket(path: path)))
        client.histogram("n", 1)
        await client.flush()
        #expect(client.statistics.messagesDropped == 1)
        client.statistics.checkSums()
        await client.shutdown()
    }

    @Test("messages to an unknown name are counted, and the name is resolved again after the shortest interval")
    func noSuchName() async throws {
        let clock = ManualClock()
        let resolutions = Tally()
        var configuration = quietConfiguration(.udp(host: "agent.test", port: 8125))
        configuration.clock = clock
        let client = try DogStatsDClient(configuration: configuration) { host, port in
            #expect(host == "agent.test" && port == 8125)
            resolutions.raise()
            return []
        }
        for _ in 0..<5 {
            client.histogram("n", 1)
            await client.flush()
        }
        #expect(resolutions.value == 1)
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 5)
        clock.advance(by: AgentAddresses.shortestInterval)
        client.histogram("n", 1)
        await client.flush()
        #expect(resolutions.value == 2)
        await client.shutdown()
    }

    @Test("an unknown name is resolved again even if the interval ends between two readings of the clock")
    func nameAppears() async throws {
        let readings = Atomic(0)
        let found = Atomic(false)
        let address = try #require(await SystemNameResolver.resolve(host: "127.0.0.1", port: 8125).first)
        var addresses = AgentAddresses(.udp(host: "agent.test", port: 8125)) { _, _ in
            found.load(ordering: .relaxed) ? [address] : []
        } elapsed: {
            // The time advances with each reading of the clock.
            AgentAddresses.shortestInterval / 2 * readings.add(1, ordering: .relaxed).newValue
        }
        for _ in 0..<20 {
            #expect(await addresses.current() == nil)
            addresses.reject()
        }
        found.store(true, ordering: .relaxed)
        while await addresses.current() == nil { await Task.yield() }
    }

    @Test("the client follows a name whose address changes")
    func nameChanges() async throws {
        let clock = ManualClock()
        let (first, second) = (try DatagramReceiver(), try DatagramReceiver())
        let port = Atomic(first.port)
        let resolutions = Tally()
        var configuration = quietConfiguration(.udp(host: "agent.test", port: 8125))
        configuration.clock = clock
        let client = try DogStatsDClient(configuration: configuration) { _, _ in
            resolutions.raise()
            return await SystemNameResolver.resolve(host: "127.0.0.1", port: port.load(ordering: .relaxed))
        }
        client.histogram("n", 1)
        await client.flush()
        #expect(first.take() == ["n:1|h"])

        port.store(second.port, ordering: .relaxed)
        clock.advance(by: AgentAddresses.refreshInterval - .milliseconds(1))
        client.histogram("n", 1)
        await client.flush()
        #expect(first.take() == ["n:1|h"])
        #expect(resolutions.value == 1)

        clock.advance(by: .milliseconds(1))
        var moved = false
        while !moved {
            // The name is resolved in the background. Until then the client uses the old address.
            client.histogram("n", 1)
            await client.flush()
            moved = second.take() == ["n:1|h"]
            #expect(moved != (first.take() == ["n:1|h"]))
            await Task.yield()
        }
        #expect(resolutions.value == 2)
        #expect(client.statistics.messagesDropped == 0)
        await client.shutdown()
    }

    @Test("of several addresses of a name, the client finds an address at which an agent listens")
    func severalAddresses() async throws {
        let receiver = try DatagramReceiver(address: "127.0.0.2")
        let client = try DogStatsDClient(
            configuration: quietConfiguration(.udp(host: "agent.test", port: receiver.port))
        ) { _, port in
            await SystemNameResolver.resolve(host: "127.0.0.1", port: port)
                + SystemNameResolver.resolve(host: "127.0.0.2", port: port)
        }
        client.histogram("n", 1)
        await client.flush()  // This goes to the first address, at which nothing listens.
        for number in 2...5 {
            client.histogram("n", Double(number))
            await client.flush()
            #expect(receiver.take() == ["n:\(number)|h"])
        }
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 1)
        await client.shutdown()
    }

    @Test("the client keeps an address that works when the name is resolved again")
    func keepsAddress() async throws {
        let clock = ManualClock()
        let receiver = try DatagramReceiver(address: "127.0.0.2")
        var configuration = quietConfiguration(.udp(host: "agent.test", port: receiver.port))
        configuration.clock = clock
        let resolutions = Tally()
        let client = try DogStatsDClient(configuration: configuration) { _, port in
            resolutions.raise()
            return await SystemNameResolver.resolve(host: "127.0.0.1", port: port)
                + SystemNameResolver.resolve(host: "127.0.0.2", port: port)
        }
        for _ in 0..<2 {
            client.histogram("n", 1)
            await client.flush()
        }
        #expect(receiver.take() == ["n:1|h"])
        for round in 2...4 {
            clock.advance(by: AgentAddresses.refreshInterval)
            for _ in 0..<20 {
                client.histogram("n", 1)
                await client.flush()
                #expect(receiver.take() == ["n:1|h"])
                await letOthersRun()
            }
            #expect(resolutions.value >= round)
        }
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 1)
        await client.shutdown()
    }

    @Test("an agent that does not read receives what fits into its buffer, and later messages are dropped and counted")
    func slowAgent() async throws {
        let path = uniqueSocketPath()
        let receiver = try DatagramReceiver(path: path)
        var configuration = quietConfiguration(.unixSocket(path: path))
        configuration.maximumDatagramSize = 8192
        let client = try DogStatsDClient(configuration: configuration)
        // This exceeds the buffer of a socket on every system.
        var recorded = 0
        while client.statistics.messagesDropped(.agentTooSlow) == 0, recorded < 2000 {
            client.set("n", String(repeating: "x", count: 8000))
            recorded += 1
            await client.flush()
        }
        #expect(client.statistics.messagesDropped(.agentTooSlow) == 1)
        #expect(client.statistics.messagesSent == recorded - 1)
        client.statistics.checkSums()
        // The client continues when the agent reads again.
        #expect(receiver.take().count == recorded - 1)
        client.histogram("n", 1)
        await client.flush()
        #expect(receiver.take() == ["n:1|h"])
        await client.shutdown()
    }

    @Test("an agent that has stopped reading delays a flush once, regardless of the number of queued datagrams")
    func hungAgent() async throws {
        let path = uniqueSocketPath()
        let receiver = try DatagramReceiver(path: path)
        let clock = ManualClock()
        var configuration = quietConfiguration(.unixSocket(path: path))
        configuration.clock = clock
        configuration.maximumQueuedDatagrams = 2000
        let client = try DogStatsDClient(configuration: configuration)
        for _ in 0..<1000 { client.set("n", String(repeating: "x", count: 8000)) }
        let ending = Task { await client.shutdown() }
        var waited = Duration.zero
        try await eventually("the client ends") {
            // The sender waits for room, and not for the next flush.
            if let next = clock.nextDeadline, next < .seconds(3000) {
                clock.advance(by: .milliseconds(1))
                waited += .milliseconds(1)
            }
            return client.recorder.queue.hasEnded
        }
        await ending.value
        #expect(waited == Sender.patience)
        #expect(client.statistics.messagesDropped(.agentTooSlow) > 1)
        #expect(client.statistics.messagesDropped(.agentTooSlow) == 1000 - receiver.take().count)
        client.statistics.checkSums()
    }

    @Test("an agent that stops reading briefly receives every message")
    func briefPause() async throws {
        let path = uniqueSocketPath()
        let receiver = try DatagramReceiver(path: path)
        let clock = ManualClock()
        var configuration = quietConfiguration(.unixSocket(path: path))
        configuration.clock = clock
        let client = try DogStatsDClient(configuration: configuration)
        try await clock.waitForSleepers(1)  // The next flush is an hour away.
        var recorded = 0
        while clock.sleepers == 1, recorded < 2000 {
            let before = client.statistics.messagesSent
            client.set("n", String(repeating: "x", count: 8000))
            client.set("n", String(repeating: "y", count: 8000))  // This fills the previous datagram.
            recorded += 2
            try await eventually("the datagram is sent or waits for room") {
                client.statistics.messagesSent > before || clock.sleepers == 2
            }
        }
        // The sender waits for room, measured by this clock. There is room before its patience ends.
        var received = receiver.take().count
        clock.advance(by: Sender.patience / 2)
        async let flushed: Void = client.flush()
        try await eventually("every message arrives") {
            received += receiver.take().count
            clock.advance(by: .milliseconds(1))
            return received == recorded
        }
        await flushed
        #expect(client.statistics.messagesDropped == 0)
        await client.shutdown()
    }
}
