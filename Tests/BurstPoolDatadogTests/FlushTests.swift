import Testing

@testable import BurstPoolDatadog

@Suite("Flushing and ending", .timeLimit(.minutes(5)))
struct FlushTests {
    @Test("what was recorded is sent at the end of each flush interval, and not before")
    func interval() async throws {
        let clock = ManualClock()
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver) {
            $0.clock = clock
            $0.flushInterval = .seconds(1)
        }
        for round in 1...3 {
            try await clock.waitForSleepers(1)
            client.count("c", round)
            client.histogram("h", Double(round))
            clock.advance(by: .milliseconds(999))
            await letOthersRun()
            #expect(receiver.take() == [])
            clock.advance(by: .milliseconds(1))
            var received: [String] = []
            try await eventually("a datagram comes") {
                received += receiver.take()
                return !received.isEmpty
            }
            #expect(received == ["h:\(round)|h\nc:\(round)|c"])
        }
        await client.shutdown()
        #expect(clock.sleepers == 0)
    }

    @Test("nothing is sent at a flush when nothing was recorded")
    func nothing() async throws {
        let clock = ManualClock()
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver) {
            $0.clock = clock
            $0.flushInterval = .seconds(1)
        }
        for _ in 0..<5 {
            try await clock.waitForSleepers(1)
            clock.advance(by: .seconds(1))
        }
        await client.flush()
        await client.shutdown()
        #expect(receiver.take() == [])
        #expect(client.statistics == DogStatsDStatistics())
    }

    @Test("a flush ends when everything recorded before it has been sent")
    func flush() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver)
        for number in 1...50 {
            client.count("n", number)
            await client.flush()
            #expect(receiver.take() == ["n:\(number)|c"])
        }
        await client.shutdown()
    }

    @Test("a shutdown sends what there is, can be called again and at the same time, and is the end")
    func shutdown() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver)
        client.count("n")
        client.histogram("h", 1)
        await withTaskGroup { group in
            for _ in 0..<10 {
                group.addTask {
                    await client.shutdown()
                    #expect(client.statistics.messagesSent == 2)
                }
            }
        }
        await client.shutdown()
        await client.flush()
        #expect(receiver.takeMessages() == ["h:1|h", "n:1|c"])

        client.count("n")
        client.gauge("g", 1)
        client.histogram("h", 1)
        client.event(title: "t", text: "x")
        await client.flush()
        await client.shutdown()
        #expect(receiver.take() == [])
        #expect(client.statistics.messagesDropped(.shutDown) == 4)
        client.statistics.checkSums()
    }

    @Test("a client that nobody refers to any more sends what it has, and ends")
    func dropped() async throws {
        let clock = ManualClock()
        let receiver = try DatagramReceiver()
        weak var recorder: MessageRecorder?
        do {
            let client = try quietClient(to: receiver) { $0.clock = clock }
            recorder = client.recorder
            client.count("n")
            client.histogram("h", 1)
        }
        var received: [String] = []
        try await eventually("it comes") {
            received += receiver.takeMessages()
            return received.count == 2
        }
        try await eventually("its tasks have gone") { recorder == nil && clock.sleepers == 0 }
    }

    @Test("every shutdown while the agent's name is being resolved waits for it, and nothing is lost")
    func shutdownWhileResolving() async throws {
        let receiver = try DatagramReceiver()
        let gate = Gate()
        let client = try DogStatsDClient(
            configuration: quietConfiguration(.udp(host: "agent.test", port: receiver.port))
        ) { _, port in
            await gate.pass()
            return await SystemNameResolver.resolve(host: "127.0.0.1", port: port)
        }
        client.count("n")
        let ended = Tally()
        func callShutdown() -> Task<Void, Never> {
            Task {
                await client.shutdown()
                ended.raise()
            }
        }
        var callers = [callShutdown()]
        try await eventually("it asks for the name") { gate.held == 1 }
        // Also those who come when nothing waits any more, but one is under way.
        callers += [callShutdown(), callShutdown()]
        await letOthersRun()
        #expect(ended.value == 0)
        gate.open()
        for caller in callers { await caller.value }
        #expect(receiver.take() == ["n:1|c"])
    }

    @Test("the time between recording and sending does not depend on the caller's cancellation")
    func cancelled() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver)
        let caller = Task {
            withUnsafeCurrentTask { $0?.cancel() }
            client.count("n")
            await client.flush()
            #expect(receiver.take() == ["n:1|c"])
            await client.shutdown()
        }
        await caller.value
        #expect(client.statistics.messagesSent == 1)
    }
}
