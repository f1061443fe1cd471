// SPDX-License-Identifier: Apache-2.0

import BurstPoolDatadog
import Testing

@Suite("Messages, byte by byte", .timeLimit(.minutes(5)))
struct ProtocolTests {
    @Test("a count")
    func count() async throws {
        #expect(try await messages { $0.count("page.views") } == ["page.views:1|c"])
        #expect(try await messages { $0.count("page.views", 3) } == ["page.views:3|c"])
        #expect(try await messages { $0.count("page.views", -3) } == ["page.views:-3|c"])
        #expect(try await messages { $0.count("page.views", 1.5) } == ["page.views:1.5|c"])
        #expect(
            try await messages { $0.count("users.online", tags: ["country:china"]) } == [
                "users.online:1|c|#country:china"
            ]
        )
    }

    @Test("a gauge")
    func gauge() async throws {
        #expect(try await messages { $0.gauge("fuel.level", 0.5) } == ["fuel.level:0.5|g"])
        #expect(try await messages { $0.gauge("fuel.level", -1, tags: ["a", "b:c"]) } == ["fuel.level:-1|g|#a,b:c"])
    }

    @Test("a histogram, a distribution, a timing and a set")
    func values() async throws {
        #expect(try await messages { $0.histogram("song.length", 240) } == ["song.length:240|h"])
        #expect(try await messages { $0.distribution("song.length", 240.25) } == ["song.length:240.25|d"])
        #expect(try await messages { $0.timing("render", .milliseconds(12)) } == ["render:12|ms"])
        #expect(try await messages { $0.timing("render", .nanoseconds(1_234_567)) } == ["render:1.234567|ms"])
        #expect(try await messages { $0.set("users.uniques", "1234") } == ["users.uniques:1234|s"])
        #expect(try await messages { $0.set("users", "a:b", tags: ["x"]) } == ["users:a:b|s|#x"])
    }

    @Test("several values form one message")
    func packed() async throws {
        #expect(
            try await messages { $0.distribution("d", values: [1, 2.5, -3], tags: ["t"]) } == ["d:1:2.5:-3|d|#t"]
        )
        #expect(try await messages { $0.histogram("h", values: [0.25]) } == ["h:0.25|h"])
        #expect(try await messages { $0.histogram("h", values: []) } == [])
    }

    @Test(
        "numbers are written in the shortest form with the same value",
        arguments: [
            (0, "0"), (-0.0, "0"), (1, "1"), (-1, "-1"), (0.1, "0.1"), (1e6, "1000000"), (123_456_789, "123456789"),
            (999_999_999_999_999, "999999999999999"), (1e15, "1000000000000000"),
            (9_007_199_254_740_992, "9007199254740992"), (1e16, "1e+16"), (1e300, "1e+300"),
            (.leastNonzeroMagnitude, "5e-324"),
            (0.000_01, "1e-05"), (1.0 / 3, "0.3333333333333333"), (.greatestFiniteMagnitude, "1.7976931348623157e+308"),
        ] as [(Double, String)]
    )
    func numbers(number: Double, text: String) async throws {
        let written = try await messages { $0.histogram("n", number) }
        #expect(written == ["n:\(text)|h"])
        #expect(Double(text) == number)
    }

    @Test("the largest counts are exact")
    func largest() async throws {
        #expect(try await messages { $0.count("n", .max) } == ["n:9223372036854775807|c"])
        #expect(try await messages { $0.count("n", .min) } == ["n:-9223372036854775808|c"])
    }

    @Test("the sample rate precedes the tags, and only that share of values is sent")
    func sampled() async throws {
        let sent = try await messages { client in
            for _ in 0..<1000 { client.histogram("song.length", 240, tags: ["a:b"], sampleRate: 0.5) }
        }
        #expect(Set(sent) == ["song.length:240|h|@0.5|#a:b"])
        // 20 standard deviations.
        #expect(abs(sent.count - 500) < 320, "\(sent.count) of 1000")
    }

    @Test("a sample rate of at least 1 is not written, and with a rate of at most 0 nothing is sent")
    func sampleRateLimits() async throws {
        #expect(try await messages { $0.distribution("d", 1, sampleRate: 1) } == ["d:1|d"])
        #expect(try await messages { $0.distribution("d", 1, sampleRate: 7) } == ["d:1|d"])
        for rate in [0, -0.5, .nan] { #expect(try await messages { $0.distribution("d", 1, sampleRate: rate) } == []) }
    }

    @Test("counts are sampled if they are not aggregated")
    func sampledCounts() async throws {
        let sent = try await messages({ $0.aggregatesCountsAndGauges = false }) { client in
            for _ in 0..<200 { client.count("c", sampleRate: 0.25) }
        }
        #expect(Set(sent) == ["c:1|c|@0.25"])
    }

    @Test("the timestamp is the last field")
    func timestamps() async throws {
        let configure = { (configuration: inout DogStatsDConfiguration) in configuration.containerID = "83c0a99c" }
        #expect(
            try await messages(configure) { $0.count("c", 15, tags: ["a"], timestamp: 1_656_581_400) }
                == ["c:15|c|#a|c:83c0a99c|T1656581400"]
        )
        #expect(try await messages { $0.gauge("g", 15, timestamp: 1_656_581_400) } == ["g:15|g|T1656581400"])
    }

    @Test("an event")
    func event() async throws {
        #expect(
            try await messages {
                $0.event(
                    title: "An exception occurred",
                    text: "Cannot parse CSV file from 10.0.0.17",
                    alertType: .warning,
                    tags: ["err_type:bad_file"]
                )
            } == ["_e{21,36}:An exception occurred|Cannot parse CSV file from 10.0.0.17|t:warning|#err_type:bad_file"]
        )
    }

    @Test("an event with all fields")
    func fullEvent() async throws {
        #expect(
            try await messages {
                $0.event(
                    title: "t",
                    text: "x",
                    alertType: .error,
                    priority: .low,
                    aggregationKey: "key",
                    sourceType: "swift",
                    hostname: "host",
                    timestamp: 1_700_000_000,
                    tags: ["a", "b:c"]
                )
            } == ["_e{1,1}:t|x|d:1700000000|h:host|k:key|p:low|s:swift|t:error|#a,b:c"]
        )
    }

    @Test("the lengths of an event are in bytes after escaping")
    func eventLengths() async throws {
        #expect(
            try await messages { $0.event(title: "größer\n🧵", text: "ä\nö\r\nü\rß|_e{1,1}:") }
                == [#"_e{14,23}:größer\n🧵|ä\nö\nü\nß|_e{1,1}:"#]
        )
        #expect(try await messages { $0.event(title: "t", text: "") } == ["_e{1,0}:t|"])
    }

    @Test("a service check")
    func serviceCheck() async throws {
        #expect(
            try await messages {
                $0.serviceCheck(
                    "Redis connection",
                    .critical,
                    message: "Redis connection timed out after 10s",
                    tags: ["env:dev"]
                )
            } == ["_sc|Redis connection|2|#env:dev|m:Redis connection timed out after 10s"]
        )
        for (status, number) in [(DogStatsDServiceStatus.ok, 0), (.warning, 1), (.critical, 2), (.unknown, 3)] {
            #expect(try await messages { $0.serviceCheck("s", status) } == ["_sc|s|\(number)"])
        }
    }

    @Test("the message is the last field of a service check with all fields")
    func fullServiceCheck() async throws {
        let configure = { (configuration: inout DogStatsDConfiguration) in
            configuration.containerID = "83c0a99c"
            configuration.globalTags = ["env:dev"]
        }
        #expect(
            try await messages(configure) {
                $0.serviceCheck("s", .ok, message: "m", hostname: "h", timestamp: 1_700_000_000, tags: ["a:b"])
            } == ["_sc|s|0|d:1700000000|h:h|#a:b,env:dev|c:83c0a99c|m:m"]
        )
    }

    @Test("the message of a service check is escaped")
    func serviceCheckMessage() async throws {
        #expect(
            try await messages { $0.serviceCheck("s", .ok, message: "m: a\nb|c #d m:m:") }
                == [#"_sc|s|0|m:m\: a\nb_c #d m\:m\:"#]
        )
    }

    @Test("every message has the global tags after its own tags, and the origin")
    func global() async throws {
        let sent = try await messages {
            $0.prefix = "shop"
            $0.globalTags = ["env:prod", DogStatsDTag(""), "service:a b"]
            $0.containerID = "83c0a99c"
            $0.externalData = "it-false,cn-nginx,pu-1-2"
        } _: {
            $0.histogram("n", 1, tags: ["own"])
            $0.event(title: "t", text: "x")
            $0.serviceCheck("s", .ok)
        }
        let rest = "env:prod,service:a_b|c:83c0a99c|e:it-false,cn-nginx,pu-1-2"
        #expect(sent == ["shop.n:1|h|#own,\(rest)", "_e{1,1}:t|x|#\(rest)", "_sc|s|0|#\(rest)"])
    }

    @Test("a prefix is followed by one dot")
    func prefix() async throws {
        for prefix in ["a.b", "a.b.", "1a.b", "a b"] {
            let expected = prefix == "a b" ? "a_b.n:1|c" : "a.b.n:1|c"
            #expect(try await messages({ $0.prefix = prefix }) { $0.count("n") } == [expected])
        }
    }
}
