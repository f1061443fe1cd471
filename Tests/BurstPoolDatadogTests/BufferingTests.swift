// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPoolDatadog

@Suite("Buffering", .timeLimit(.minutes(5)))
struct BufferingTests {
    /// Records a message with this number of bytes.
    private func record(_ bytes: Int, in client: DogStatsDClient, _ letter: Character = "x") {
        client.set("n", String(repeating: letter, count: bytes - "n:|s".utf8.count))
    }

    @Test("messages in a datagram are separated by a line feed, with none at the end")
    func shared() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver)
        client.histogram("a", 1)
        client.histogram("b", 2)
        client.event(title: "t", text: "x")
        await client.flush()
        #expect(receiver.take() == ["a:1|h\nb:2|h\n_e{1,1}:t|x"])
        await client.shutdown()
    }

    @Test("a datagram is filled to the last byte", arguments: [64, 100, 1432, 8192])
    func exactly(size: Int) async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver) { $0.maximumDatagramSize = size }
        let half = size / 2
        record(half, in: client, "a")
        record(size - half - 1, in: client, "b")
        await client.flush()
        var datagrams = receiver.take()
        #expect(datagrams.map(\.utf8.count) == [size])

        // One byte does not fit any more.
        record(half, in: client, "a")
        record(size - half, in: client, "b")
        await client.flush()
        datagrams = receiver.take()
        #expect(datagrams.map(\.utf8.count) == [half, size - half])
        await client.shutdown()
    }

    @Test(
        "a message as large as a datagram is sent, and a larger one is dropped",
        arguments: [64, 1024, 1025, 1432, 8192]
    )
    func largest(size: Int) async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver) { $0.maximumDatagramSize = size }
        record(10, in: client)
        record(size, in: client)
        record(size + 1, in: client)
        record(10, in: client)
        await client.flush()
        #expect(receiver.take().map(\.utf8.count) == [10, size, 10])
        #expect(client.statistics.messagesDropped(.tooLarge) == 1)
        #expect(client.statistics.messagesDropped == 1)
        #expect(client.statistics.messagesSent == 3)
        await client.shutdown()
    }

    @Test("events and service checks that are too large are dropped and not truncated")
    func tooLarge() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver)
        let long = String(repeating: "🧵\n", count: 1000)
        client.event(title: long, text: "x")
        client.event(title: "t", text: long)
        client.serviceCheck("s", .ok, message: long)
        client.count("n", tags: [DogStatsDTag(String(repeating: "a", count: 5000))])
        await client.flush()
        #expect(receiver.take() == [])
        #expect(client.statistics.messagesDropped(.tooLarge) == 4)
        await client.shutdown()
    }

    @Test("full datagrams are sent without a flush")
    func fullOnes() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver) { $0.maximumDatagramSize = 64 }
        for letter in "abc" { record(64, in: client, letter) }
        var received: [String] = []
        try await eventually("two full datagrams arrive, and the third is not full yet") {
            received += receiver.take()
            return received.count == 2
        }
        #expect(client.statistics.messagesWaiting == 1)
        await client.shutdown()
        #expect(receiver.take().count == 1)
    }

    @Test("values that do not fit into one datagram are sent in several complete messages")
    func packedValues() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver) { $0.maximumDatagramSize = 200 }
        let values = (0..<500).map { Double($0) + 0.125 }
        client.histogram("packed", values: values, tags: ["tag:value"])
        await client.flush()
        let messages = receiver.takeMessages()
        #expect(messages.count > 15 && messages.count < 50)
        var seen: [Double] = []
        for message in messages {
            #expect(message.utf8.count <= 200)
            let fields = message.split(separator: "|")
            #expect(fields.dropFirst() == ["h", "#tag:value"])
            let pieces = fields[0].split(separator: ":")
            #expect(pieces.first == "packed")
            seen += pieces.dropFirst().compactMap { Double($0) }
        }
        #expect(seen == values)

        // Not even one value fits.
        client.histogram("packed", values: [1, 2, 3], tags: [DogStatsDTag(String(repeating: "t", count: 200))])
        #expect(client.statistics.messagesDropped(.tooLarge) == 3)
        await client.shutdown()
    }

    @Test("messages are dropped and counted while the queue of datagrams is full")
    func fullQueue() async throws {
        let receiver = try DatagramReceiver()
        let gate = Gate()
        var configuration = quietConfiguration(.udp(host: "agent.test", port: receiver.port))
        configuration.maximumDatagramSize = 64
        configuration.maximumQueuedDatagrams = 4
        let client = try DogStatsDClient(configuration: configuration) { [port = receiver.port] _, _ in
            await gate.pass()
            return await SystemNameResolver.resolve(host: "127.0.0.1", port: port)
        }
        // Nothing is sent before the name is resolved. The queue holds four full datagrams, including one that the sending
        // task has taken, and the current one.
        func recordNumber(_ number: Int) {
            record(64, in: client, Character(Unicode.Scalar(UInt8(33 + number % 90))))
        }
        for number in 0..<2 { recordNumber(number) }
        try await eventually("the sending task resolves the name") { gate.held == 1 }
        for number in 2..<100 { recordNumber(number) }
        #expect(client.statistics.messagesAccepted == 5)
        #expect(client.statistics.messagesWaiting == 5)
        #expect(client.statistics.messagesDropped(.queueFull) == 95)

        gate.open()
        await client.flush()
        #expect(receiver.take().compactMap { $0.dropFirst(2).first } == ["!", "\"", "#", "$", "%"])
        #expect(client.statistics.messagesWaiting == 0)
        // The queue has room again.
        record(64, in: client)
        await client.flush()
        #expect(receiver.take().count == 1)
        #expect(client.statistics.messagesDropped == 95)
        client.statistics.checkSums()
        await client.shutdown()
    }
}
