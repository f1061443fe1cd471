import Foundation
import Synchronization
import Testing

@testable import BurstPoolDatadog

@Suite("An agent that is away", .timeLimit(.minutes(5)))
struct AgentAwayTests {
    /// A port of this machine at which nobody listens.
    private func closedPort() throws -> Int { try DatagramReceiver().port }

    @Test("over UDP nothing fails, and what is heard to be lost is counted")
    func udpAway() async throws {
        let client = try DogStatsDClient(
            configuration: quietConfiguration(.udp(host: "127.0.0.1", port: try closedPort()))
        )
        for _ in 0..<10 {
            client.count("n")
            await client.flush()
            client.statistics.checkSums()
        }
        // Each error tells of the datagram before, so that of the last one nothing is known.
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 9)
        #expect(client.statistics.datagramsDropped == 9)
        #expect(client.statistics.messagesSent == 1)
        #expect(client.statistics.datagramsSent == 1)
        await client.shutdown()
    }

    @Test("over UDP an agent that comes and goes gets all that is sent while it is there")
    func udpComesAndGoes() async throws {
        let port = try closedPort()
        let client = try DogStatsDClient(configuration: quietConfiguration(.udp(host: "127.0.0.1", port: port)))
        for round in 1...3 {
            client.count("away\(round)")
            await client.flush()
            let receiver = try DatagramReceiver(port: port)
            // The very first one also: that the one before was lost does not stop it.
            for number in 1...5 {
                client.count("there", number)
                await client.flush()
                #expect(receiver.take() == ["there:\(number)|c"])
            }
        }
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 3)
        #expect(client.statistics.messagesSent == 15)
        await client.shutdown()
    }

    @Test("over a unix socket what is recorded while there is none is dropped and counted")
    func unixAway() async throws {
        let client = try DogStatsDClient(configuration: quietConfiguration(.unixSocket(path: uniqueSocketPath())))
        for _ in 0..<10 {
            client.count("n")
            client.gauge("g", 1)
            await client.flush()
            client.statistics.checkSums()
        }
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 20)
        #expect(client.statistics.datagramsDropped == 10)
        #expect(client.statistics.messagesSent == 0)
        await client.shutdown()
    }

    @Test("over a unix socket an agent that starts, stops and starts again is found at the next datagram")
    func unixComesAndGoes() async throws {
        let path = uniqueSocketPath()
        let client = try DogStatsDClient(configuration: quietConfiguration(.unixSocket(path: path)))
        for round in 1...3 {
            client.count("away")
            await client.flush()
            do {
                let receiver = try DatagramReceiver(path: path)
                for number in 1...5 {
                    client.count("there", number)
                    await client.flush()
                    #expect(receiver.take() == ["there:\(number)|c"])
                }
            }
            #expect(client.statistics.messagesDropped(.agentUnreachable) == round)
        }
        #expect(client.statistics.messagesSent == 15)
        await client.shutdown()
    }

    @Test("a unix socket that is replaced is found without a loss")
    func unixReplaced() async throws {
        let path = uniqueSocketPath()
        var receiver: DatagramReceiver? = try DatagramReceiver(path: path)
        let client = try DogStatsDClient(configuration: quietConfiguration(.unixSocket(path: path)))
        for number in 1...3 {
            client.count("n", number)
            await client.flush()
            #expect(receiver?.take() == ["n:\(number)|c"])
            // A restart between two datagrams.
            receiver = nil
            receiver = try DatagramReceiver(path: path)
        }
        #expect(client.statistics.messagesDropped == 0)
        await client.shutdown()
    }

    @Test("something at the path that is no datagram socket is counted, and does no harm")
    func notASocket() async throws {
        let path = uniqueSocketPath()
        try Data().write(to: URL(filePath: path))
        defer { unlink(path) }
        let client = try DogStatsDClient(configuration: quietConfiguration(.unixSocket(path: path)))
        client.count("n")
        await client.flush()
        #expect(client.statistics.messagesDropped == 1)
        client.statistics.checkSums()
        await client.shutdown()
    }

    @Test("a name that leads nowhere is counted, and asked for again only after a while")
    func noSuchName() async throws {
        let clock = ManualClock()
        let asked = Tally()
        var configuration = quietConfiguration(.udp(host: "agent.test", port: 8125))
        configuration.clock = clock
        let client = try DogStatsDClient(configuration: configuration) { host, port in
            #expect(host == "agent.test" && port == 8125)
            asked.raise()
            return []
        }
        for _ in 0..<5 {
            client.count("n")
            await client.flush()
        }
        #expect(asked.value == 1)
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 5)
        clock.advance(by: AgentAddresses.shortestInterval)
        client.count("n")
        await client.flush()
        #expect(asked.value == 2)
        await client.shutdown()
    }

    @Test("a name that leads nowhere is asked for again at any moment, also between two looks at the clock")
    func nameAppears() async throws {
        let looks = Atomic(0)
        let found = Atomic(false)
        let address = try #require(await SystemNameResolver.resolve(host: "127.0.0.1", port: 8125).first)
        var addresses = AgentAddresses(.udp(host: "agent.test", port: 8125)) { _, _ in
            found.load(ordering: .relaxed) ? [address] : []
        } elapsed: {
            // Each look at the clock is later than the one before.
            AgentAddresses.shortestInterval / 2 * looks.add(1, ordering: .relaxed).newValue
        }
        for _ in 0..<20 {
            #expect(await addresses.current() == nil)
            addresses.reject()
        }
        found.store(true, ordering: .relaxed)
        while await addresses.current() == nil { await Task.yield() }
    }

    @Test("a name whose address changes is followed")
    func nameChanges() async throws {
        let clock = ManualClock()
        let (first, second) = (try DatagramReceiver(), try DatagramReceiver())
        let port = Atomic(first.port)
        let asked = Tally()
        var configuration = quietConfiguration(.udp(host: "agent.test", port: 8125))
        configuration.clock = clock
        let client = try DogStatsDClient(configuration: configuration) { _, _ in
            asked.raise()
            return await SystemNameResolver.resolve(host: "127.0.0.1", port: port.load(ordering: .relaxed))
        }
        client.count("n")
        await client.flush()
        #expect(first.take() == ["n:1|c"])

        port.store(second.port, ordering: .relaxed)
        clock.advance(by: AgentAddresses.refreshInterval - .milliseconds(1))
        client.count("n")
        await client.flush()
        #expect(first.take() == ["n:1|c"])
        #expect(asked.value == 1)

        clock.advance(by: .milliseconds(1))
        var moved = false
        while !moved {
            // The answer comes beside the sending; until then the old address is used.
            client.count("n")
            await client.flush()
            moved = second.take() == ["n:1|c"]
            #expect(moved != (first.take() == ["n:1|c"]))
            await Task.yield()
        }
        #expect(asked.value == 2)
        #expect(client.statistics.messagesDropped == 0)
        await client.shutdown()
    }

    @Test("a name with several addresses leads to the one where somebody listens")
    func severalAddresses() async throws {
        let receiver = try DatagramReceiver(address: "127.0.0.2")
        let client = try DogStatsDClient(
            configuration: quietConfiguration(.udp(host: "agent.test", port: receiver.port))
        ) { _, port in
            await SystemNameResolver.resolve(host: "127.0.0.1", port: port)
                + SystemNameResolver.resolve(host: "127.0.0.2", port: port)
        }
        client.count("n", 1)
        await client.flush()  // To the first address, where nobody is.
        for number in 2...5 {
            client.count("n", number)
            await client.flush()
            #expect(receiver.take() == ["n:\(number)|c"])
        }
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 1)
        await client.shutdown()
    }

    @Test("an address that works is kept when the name is asked for again")
    func keepsAddress() async throws {
        let clock = ManualClock()
        let receiver = try DatagramReceiver(address: "127.0.0.2")
        var configuration = quietConfiguration(.udp(host: "agent.test", port: receiver.port))
        configuration.clock = clock
        let asked = Tally()
        let client = try DogStatsDClient(configuration: configuration) { _, port in
            asked.raise()
            return await SystemNameResolver.resolve(host: "127.0.0.1", port: port)
                + SystemNameResolver.resolve(host: "127.0.0.2", port: port)
        }
        for _ in 0..<2 {
            client.count("n")
            await client.flush()
        }
        #expect(receiver.take() == ["n:1|c"])
        for round in 2...4 {
            clock.advance(by: AgentAddresses.refreshInterval)
            for _ in 0..<20 {
                client.count("n")
                await client.flush()
                #expect(receiver.take() == ["n:1|c"])
                await letOthersRun()
            }
            #expect(asked.value >= round)
        }
        #expect(client.statistics.messagesDropped(.agentUnreachable) == 1)
        await client.shutdown()
    }

    @Test("an agent that does not read gets what fits, and the rest is dropped and counted after a while")
    func slowAgent() async throws {
        let path = uniqueSocketPath()
        let receiver = try DatagramReceiver(path: path)
        var configuration = quietConfiguration(.unixSocket(path: path))
        configuration.maximumDatagramSize = 8192
        let client = try DogStatsDClient(configuration: configuration)
        // More than any system keeps for a socket that nobody reads from.
        var recorded = 0
        while client.statistics.messagesDropped(.agentTooSlow) == 0, recorded < 2000 {
            client.set("n", String(repeating: "x", count: 8000))
            recorded += 1
            await client.flush()
        }
        #expect(client.statistics.messagesDropped(.agentTooSlow) == 1)
        #expect(client.statistics.messagesSent == recorded - 1)
        client.statistics.checkSums()
        // And goes on when it reads again.
        #expect(receiver.take().count == recorded - 1)
        client.count("n")
        await client.flush()
        #expect(receiver.take() == ["n:1|c"])
        await client.shutdown()
    }

    @Test("an agent that has stopped reading holds up a flush once, however much waits")
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
            // It waits for room, not for the next flush.
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

    @Test("an agent that is slow for a moment loses nothing")
    func briefPause() async throws {
        let path = uniqueSocketPath()
        let receiver = try DatagramReceiver(path: path)
        let clock = ManualClock()
        var configuration = quietConfiguration(.unixSocket(path: path))
        configuration.clock = clock
        let client = try DogStatsDClient(configuration: configuration)
        try await clock.waitForSleepers(1)  // The flush, an hour away.
        var recorded = 0
        while clock.sleepers == 1, recorded < 2000 {
            let before = client.statistics.messagesSent
            client.set("n", String(repeating: "x", count: 8000))
            client.set("n", String(repeating: "y", count: 8000))  // Makes the one before full.
            recorded += 2
            try await eventually("it is sent, or waits") {
                client.statistics.messagesSent > before || clock.sleepers == 2
            }
        }
        // It waits for room, by this clock; there is some before its time is up.
        var received = receiver.take().count
        clock.advance(by: Sender.patience / 2)
        async let flushed: Void = client.flush()
        try await eventually("everything arrives") {
            received += receiver.take().count
            clock.advance(by: .milliseconds(1))
            return received == recorded
        }
        await flushed
        #expect(client.statistics.messagesDropped == 0)
        await client.shutdown()
    }
}
