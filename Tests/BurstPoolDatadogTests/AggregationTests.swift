// SPDX-License-Identifier: Apache-2.0

import Metrics
import Testing

@testable import BurstPoolDatadog

@Suite("Aggregation of counts and gauges", .timeLimit(.minutes(2)))
struct AggregationTests {
    @Test("counts are summed up and the last value of a gauge is sent, separately for each name and tags")
    func aggregated() async throws {
        let sent = try await messages {
            for number in 1...100 {
                $0.count("a", number)
                $0.count("a", tags: ["x"])
                $0.count("a", 0.25)
                $0.gauge("g", Double(number))
                $0.gauge("g", Double(-number), tags: ["x"])
            }
        }
        #expect(Set(sent) == ["a:5050|c", "a:100|c|#x", "a:25|c", "g:100|g", "g:-100|g|#x"])
        #expect(sent.count == 5)
    }

    @Test("a flush sends the increments since the previous flush, and only gauges that were set since")
    func increments() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver)
        client.count("c", 5)
        client.gauge("g", 5)
        await client.flush()
        #expect(receiver.take() == ["c:5|c\ng:5|g"])
        client.count("c", 2)
        await client.flush()
        #expect(receiver.take() == ["c:2|c"])
        client.gauge("g", 5)
        await client.flush()
        #expect(receiver.take() == ["g:5|g"])
        client.count("c", 3)
        client.count("c", -3)
        await client.flush()
        #expect(receiver.take() == [])
        await client.shutdown()
    }

    @Test("a count saturates instead of overflowing, and starts at zero after the flush")
    func saturated() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver)
        for (amount, sent) in [(Int.max, "9223372036854775807"), (Int.min, "-9223372036854775808")] {
            client.count("c", amount)
            client.count("c", amount)
            client.count("c", amount > 0 ? 1 : -1)
            await client.flush()
            #expect(receiver.take() == ["c:\(sent)|c"])
        }
        client.count("c", 2)
        await client.flush()
        #expect(receiver.take() == ["c:2|c"])
        await client.shutdown()
    }

    @Test("without aggregation every value is a message")
    func notAggregated() async throws {
        let sent = try await messages {
            $0.aggregatesCountsAndGauges = false
        } _: {
            for number in 1...3 {
                $0.count("c", number)
                $0.count("c", 0.5)
                $0.gauge("g", Double(number))
            }
        }
        #expect(sent == (1...3).flatMap { ["c:\($0)|c", "c:0.5|c", "g:\($0)|g"] })
    }

    @Test("a value with a timestamp is not aggregated")
    func timestamped() async throws {
        let sent = try await messages {
            for number in 1...3 { $0.count("c", number, timestamp: Int64(number)) }
        }
        #expect(sent == ["c:1|c|T1", "c:2|c|T2", "c:3|c|T3"])
    }

    @Test("more names than the limit are sent without using more memory")
    func manyNames() async throws {
        let receiver = try DatagramReceiver()
        let client = try quietClient(to: receiver) { $0.maximumQueuedDatagrams = 100_000 }
        let names = AggregatedMetrics.limit * 2 + 10
        for name in 0..<names { client.count("n\(name)") }
        // Metrics that did not fit into the list were sent immediately.
        var received: [String] = []
        try await eventually("the metrics beyond the limit are sent") {
            received += receiver.takeMessages()
            return client.statistics.messagesAccepted == AggregatedMetrics.limit + 10
        }
        let flushing = Task { await client.flush() }
        try await eventually("every metric is sent") {
            received += receiver.takeMessages()
            return client.statistics.messagesWaiting == 0 && client.statistics.messagesAccepted == names
        }
        await flushing.value
        received += receiver.takeMessages()
        #expect(client.statistics.messagesSent == names)
        // The receive buffer may overflow, but no message may arrive twice.
        #expect(Set(received).count == received.count)
        await client.shutdown()
    }

    @Test("a value that is recorded after a flush took the list and before it took the value is listed again")
    func betweenListAndValue() throws {
        let metrics = AggregatedMetrics()
        let metric = metrics.metric(.count, name: "n", tags: [])
        func record() {
            metric.add(Int64(1))
            #expect(metrics.list(metric))
        }
        func value() -> Int64? { if case .integer(let sum) = metric.takeValue() { sum } else { nil } }

        record()
        record()
        #expect(metrics.takeListed().count == 1)
        record()
        #expect(value() == 3)
        record()
        // The metric is listed once, although it was recorded twice.
        #expect(metrics.takeListed().count == 1)
        #expect(value() == 1)
        #expect(metrics.takeListed().isEmpty)
        #expect(value() == nil)
    }

    @Test("a value that is recorded during a flush is part of this flush or of the next one")
    func besideFlush() async throws {
        let recorder = MessageRecorder(quietConfiguration(.standard))
        let metric = try #require(recorder.aggregatedMetric(.count, "n", tags: []))
        for round in 0..<60 {
            let (begins, ends) = (Tally(), Tally())
            await withTaskGroup { group in
                group.addTask {
                    while begins.value == 0 { await Task.yield() }
                    for _ in 0...round % 3 { recorder.record(metric) { $0.add(Int64(1)) } }
                    ends.raise()
                }
                group.addTask {
                    begins.raise()
                    while ends.value == 0 {
                        for _ in 0..<64 { recorder.collect() }
                        await Task.yield()  // Both tasks may share one thread.
                    }
                }
            }
            recorder.collect()
            recorder.queue.sendCurrent()
            let batch = try #require(await recorder.queue.next())
            let sum = batch.datagrams.reduce(0) { sum, datagram in
                let messages = String(decoding: datagram.bytes, as: UTF8.self).split(separator: "\n")
                recorder.queue.countSent(datagram)
                return messages.reduce(sum) { $0 + Int($1.split { ":|".contains($0) }[1])! }
            }
            guard sum == round % 3 + 1 else {
                Issue.record("\(sum) of \(round % 3 + 1) in round \(round)")
                return
            }
        }
    }

    @Test("nothing is lost or counted twice when many tasks record while others flush")
    func concurrent() async throws {
        let path = uniqueSocketPath()
        let receiver = try DatagramReceiver(path: path)
        let client = try DogStatsDClient(configuration: quietConfiguration(.unixSocket(path: path)))
        let counter = Counter(label: "kept", factory: DogStatsDMetricsFactory(client: client))
        let (tasks, rounds) = (8, 4000)

        var sums: [String: Double] = [:]
        var histograms = 0
        func read() {
            for message in receiver.takeMessages() {
                let pieces = message.split(separator: "|")[0].split(separator: ":")
                if pieces[0] == "h" {
                    histograms += 1
                } else {
                    sums[String(pieces[0]), default: 0] += Double(pieces[1])!
                }
            }
        }
        let recording = Task {
            await withTaskGroup { group in
                for task in 0..<tasks {
                    group.addTask {
                        for round in 0..<rounds {
                            client.count("shared")
                            client.count("own\(task)", 2)
                            client.count("fraction", 0.5)
                            counter.increment(by: 3)
                            if round % 16 == 0 { client.histogram("h", 1) }
                            client.gauge("g", Double(round))
                            if round % 64 == 0 { await client.flush() }
                        }
                    }
                }
            }
            await client.shutdown()
        }
        // The receiver must be read often, or datagrams are dropped.
        try await eventually("everything has been sent") {
            read()
            client.statistics.checkSums()
            return client.statistics.messagesAccepted > 0 && client.recorder.queue.hasEnded
        }
        await recording.value
        read()

        #expect(client.statistics.messagesDropped == 0, "\(client.statistics)")
        #expect(client.statistics.messagesWaiting == 0)
        #expect(sums["shared"] == Double(tasks * rounds))
        #expect(sums["fraction"] == Double(tasks * rounds) / 2)
        #expect(sums["kept"] == Double(tasks * rounds * 3))
        for task in 0..<tasks { #expect(sums["own\(task)"] == Double(rounds * 2)) }
        #expect(histograms == tasks * rounds / 16)
    }
}
