// SPDX-License-Identifier: Apache-2.0

import BurstPoolDatadog
import Foundation
import Testing

@Suite("An independent receiver", .timeLimit(.minutes(5)))
struct ReceiverTests {
    @Test("reads every type of metric correctly", arguments: [false, true])
    func metrics(overUnixSocket: Bool) async throws {
        let path = overUnixSocket ? uniqueSocketPath() : nil
        defer { if let path { unlink(path) } }
        let receiver = try await PythonReceiver(.independent, path: path)
        var configuration = DogStatsDConfiguration(address: receiver.address)
        configuration.sendsTelemetry = false
        configuration.prefix = "shop"
        configuration.globalTags = ["env:dev"]
        configuration.containerID = "83c0a99c"
        let client = try DogStatsDClient(configuration: configuration)

        client.count("c", 3, tags: ["b:größe", DogStatsDTag("a b", "c,d|e")])
        client.count("c", 4, tags: ["b:größe", DogStatsDTag("a b", "c,d|e")])
        client.gauge("g", -0.000_01)
        await client.flush()
        let common: Set = ["env:dev"]
        let first = try await receiver.messages(2)
        #expect(
            first == [
                metric("c", "shop.c", [7], ["b:größe", "a_b:c_d_e"] + common),
                metric("g", "shop.g", [-0.000_01], Array(common)),
            ]
        )

        client.histogram("h", values: [1, 2.5, 1e300])
        client.distribution("d", 240)
        client.timing("t", .microseconds(1500), tags: ["x"])
        client.set("s", "1234")
        client.count("c", 5, timestamp: 1_700_000_000)
        client.gauge("g", 5, timestamp: 1_700_000_001)
        while client.statistics.metrics < 9 { client.histogram("sampled", 7, sampleRate: 0.25) }
        await client.flush()
        let second = try await receiver.messages(7)
        var sampled = metric("h", "shop.sampled", [7], Array(common))
        sampled.sampleRate = 0.25
        var (count, gauge) = (metric("c", "shop.c", [5], Array(common)), metric("g", "shop.g", [5], Array(common)))
        count.timestamp = 1_700_000_000
        gauge.timestamp = 1_700_000_001
        #expect(
            second == [
                metric("h", "shop.h", [1, 2.5, 1e300], Array(common)), metric("d", "shop.d", [240], Array(common)),
                metric("ms", "shop.t", [1.5], ["x"] + common), metric("s", "shop.s", [1234], Array(common)), count,
                gauge,
                sampled,
            ]
        )
        await client.shutdown()
        #expect(client.statistics.messagesDropped == 0)
    }

    private func metric(_ kind: String, _ name: String, _ values: [Double], _ tags: [String]) -> ReadMessage {
        // Python sorts by code points.
        let sorted = tags.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) }
        return ReadMessage(kind: kind, name: name, values: values, tags: sorted, containerID: "83c0a99c")
    }

    @Test("reads many full datagrams")
    func many() async throws {
        let receiver = try await PythonReceiver(.independent)
        var configuration = quietConfiguration(receiver.address)
        configuration.aggregatesCountsAndGauges = false
        let client = try DogStatsDClient(configuration: configuration)
        var sum = 0.0
        for round in 0..<20 {
            for number in 0..<100 { client.count("n", round * number, tags: ["round:\(round)"]) }
            await client.flush()
            for message in try await receiver.messages(100) {
                #expect(message.name == "n" && message.tags == ["round:\(round)"], "\(message)")
                sum += message.values?.reduce(0, +) ?? .nan
            }
        }
        #expect(sum == 190 * 4950)
        #expect(client.statistics.datagramsSent < 100)
        await client.shutdown()
    }
}

@Suite("Datadog's own client", .timeLimit(.minutes(5)))
struct OfficialClientTests {
    private struct Call: Encodable {
        var method: String
        var arguments: [String: Argument]
    }

    private enum Argument: Encodable, ExpressibleByStringLiteral, ExpressibleByIntegerLiteral,
        ExpressibleByFloatLiteral, ExpressibleByArrayLiteral
    {
        case text(String)
        case integer(Int)
        case number(Double)
        case list([String])

        init(stringLiteral value: String) { self = .text(value) }
        init(integerLiteral value: Int) { self = .integer(value) }
        init(floatLiteral value: Double) { self = .number(value) }
        init(arrayLiteral elements: String...) { self = .list(elements) }

        func encode(to encoder: any Encoder) throws {
            var container = encoder.singleValueContainer()
            switch self {
            case .text(let value): try container.encode(value)
            case .integer(let value): try container.encode(value)
            case .number(let value): try container.encode(value)
            case .list(let value): try container.encode(value)
            }
        }
    }

    private static let cases: [(Call, @Sendable (DogStatsDClient) -> Void)] = [
        (Call(method: "increment", arguments: ["metric": "a.b"]), { $0.count("a.b") }),
        (
            Call(method: "gauge", arguments: ["metric": "g", "value": 0.5, "tags": ["a b", "größe:ä,|#@", "k:v:w"]]),
            { $0.gauge("g", 0.5, tags: ["a b", "größe:ä,|#@", "k:v:w"]) }
        ),
        (Call(method: "histogram", arguments: ["metric": "h", "value": 3]), { $0.histogram("h", 3) }),
        (Call(method: "distribution", arguments: ["metric": "d", "value": -2.25]), { $0.distribution("d", -2.25) }),
        (Call(method: "timing", arguments: ["metric": "t", "value": 12]), { $0.timing("t", .milliseconds(12)) }),
        (Call(method: "set", arguments: ["metric": "s", "value": "x:y"]), { $0.set("s", "x:y") }),
        (
            Call(method: "count_with_timestamp", arguments: ["metric": "c", "value": 7, "timestamp": 1_700_000_000]),
            { $0.count("c", 7, timestamp: 1_700_000_000) }
        ),
        (
            Call(method: "event", arguments: ["title": "größer\n🧵", "message": "ä|\nb"]),
            { $0.event(title: "größer\n🧵", text: "ä|\nb") }
        ),
        (
            Call(
                method: "event",
                arguments: [
                    "title": "t", "message": "", "alert_type": "error", "aggregation_key": "key",
                    "source_type_name": "swift", "date_happened": 1_700_000_000, "priority": "low",
                    "tags": ["a:b", "c"], "hostname": "host",
                ]
            ),
            {
                $0.event(
                    title: "t",
                    text: "",
                    alertType: .error,
                    priority: .low,
                    aggregationKey: "key",
                    sourceType: "swift",
                    hostname: "host",
                    timestamp: 1_700_000_000,
                    tags: ["a:b", "c"]
                )
            }
        ),
        (
            Call(method: "service_check", arguments: ["check_name": "Redis connection", "status": 2]),
            { $0.serviceCheck("Redis connection", .critical) }
        ),
        (
            Call(
                method: "service_check",
                arguments: [
                    "check_name": "s", "status": 3, "tags": ["a:b"], "timestamp": 1_700_000_000, "hostname": "host",
                    "message": "m: größe\nm:m:",
                ]
            ),
            {
                $0.serviceCheck(
                    "s",
                    .unknown,
                    message: "m: größe\nm:m:",
                    hostname: "host",
                    timestamp: 1_700_000_000,
                    tags: ["a:b"]
                )
            }
        ),
    ]

    @Test("sends the same bytes")
    func sameBytes() async throws {
        let theirs = try DatagramReceiver()
        let ours = try DatagramReceiver()
        let program = try PythonProcess(.withPackages, "official.py", "\(theirs.port)", "env:dev", "über all")
        let client = try quietClient(to: ours) { $0.globalTags = ["env:dev", "über all"] }
        for (call, record) in Self.cases {
            try program.write(String(decoding: try JSONEncoder().encode(call), as: UTF8.self))
            record(client)
            await client.flush()
            var expected: String?
            try await eventually("the client sends") {
                expected = theirs.takeOne()
                return expected != nil
            }
            if expected?.last == "\n" { expected?.removeLast() }
            #expect(ours.takeOne() == expected, "\(call)")
        }
        #expect(try await program.finish() == 0)
        await client.shutdown()
    }
}
