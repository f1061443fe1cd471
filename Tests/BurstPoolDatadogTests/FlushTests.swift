// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import Testing

@testable import BurstPoolDatadog

@Suite("Flushing and shutting down", .timeLimit(.minutes(5)))
struct FlushTests {
    @Test("recorded values are sent at the end of each flush interval and not earlier")
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
            try await eventually("a datagram arrives") {
                received += receiver.take()
                return !received.isEmpty
            }
            #expect(received == ["h:\(round)|h\nc:\(round)|c"])
        }
        await client.shutdown()
        #expect(clock.sleepers == 0)
    }

    @Test("a flush without recorded values sends nothing")
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

    @Test("a flush returns when everything recorded before it has been sent")
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

    @Test("a shutdown sends the remaining values, can be called several times and concurrently, and drops later values")
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

    @Test("a client without references sends its remaining values and ends")
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
        try await eventually("the datagram arrives") {
            received += receiver.takeMessages()
            return received.count == 2
        }
        try await eventually("its tasks have ended") { recorder == nil && clock.sleepers == 0 }
    }

    @Test("concurrent shutdowns wait for the resolution of the agent's name, and nothing is lost")
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
        try await eventually("the client resolves the name") { gate.held == 1 }
        // This includes calls that come when the queue is empty and a datagram is being sent.
        callers += [callShutdown(), callShutdown()]
        await letOthersRun()
        #expect(ended.value == 0)
        gate.open()
        for caller in callers { await caller.value }
        #expect(receiver.take() == ["n:1|c"])
    }

    @Test("cancelling the caller neither shortens a flush nor loses values")
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
