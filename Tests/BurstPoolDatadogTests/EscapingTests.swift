// SPDX-License-Identifier: Apache-2.0

import BurstPoolDatadog
import Testing

@Suite("Names and tags", .timeLimit(.minutes(5)))
struct EscapingTests {
    @Test(
        "a metric name starts with a letter and contains only ASCII letters, digits, underscores and dots",
        arguments: [
            ("a.b_C9", "a.b_C9"), ("a b-c:d|e@f#g,h", "a_b_c_d_e_f_g_h"), ("größe", "gr__e"), ("🧵thread", "thread"),
            ("9lives", "lives"), ("..a", "a"), ("_sc|x", "sc_x"), ("_e{1,1}:x", "e_1_1__x"), ("a\nb:1|c", "a_b_1_c"),
            ("e\u{301}t", "e_t"), ("a\r\nb", "a__b"), ("a\0b", "a_b"),
        ]
    )
    func names(name: String, expected: String) async throws {
        #expect(try await messages { $0.count(name) } == ["\(expected):1|c"])
        // After a prefix, the name may start with any valid character.
        let sent = try await messages({ $0.prefix = "p." }) { $0.histogram(name, 1) }
        #expect(sent.count == 1 && sent[0].hasPrefix("p.") && sent[0].hasSuffix("\(expected):1|h"), "\(sent)")
    }

    @Test("a metric without a valid name is dropped and counted", arguments: ["", "1", "...", "ä", "\n"])
    func noName(name: String) async throws {
        let client = try DogStatsDClient(configuration: quietConfiguration(.udp(host: "127.0.0.1", port: 1)))
        client.count(name)
        client.count(name, 1.5)
        client.gauge(name, 1)
        client.histogram(name, 1)
        client.set(name, "x")
        client.count(name, 1, timestamp: 7)
        #expect(client.statistics.messagesDropped(.invalid) == 6)
        #expect(client.statistics.messagesDropped == 6)
        #expect(client.statistics.messagesAccepted == 0)
        await client.shutdown()
    }

    @Test("values that are not finite, invalid timestamps and empty texts are dropped and counted")
    func invalid() async throws {
        let client = try DogStatsDClient(configuration: quietConfiguration(.udp(host: "127.0.0.1", port: 1)))
        for value in [Double.nan, .infinity, -.infinity] {
            client.count("n", value)
            client.gauge("n", value)
            client.histogram("n", value)
            client.distribution("n", values: [1, value])
            client.gauge("n", value, timestamp: 1)
        }
        #expect(client.statistics.messagesDropped(.invalid) == 15)
        for timestamp in [0, -1, .min] as [Int64] {
            client.count("n", 1, timestamp: timestamp)
            client.event(title: "t", text: "x", timestamp: timestamp)
            client.serviceCheck("s", .ok, timestamp: timestamp)
        }
        #expect(client.statistics.messagesDropped(.invalid) == 24)
        client.event(title: "", text: "x")
        client.serviceCheck("", .ok)
        client.set("n", "")
        #expect(client.statistics.messagesDropped(.invalid) == 27)
        #expect(client.statistics.messagesAccepted == 0)
        await client.shutdown()
    }

    @Test(
        "invalid characters in a tag become underscores",
        arguments: [
            ("a:b", "a:b"), ("A-b_c.d/e:f:g", "A-b_c.d/e:f:g"), ("a,b", "a_b"), ("a|#b", "a__b"), ("a\nb", "a_b"),
            ("größe:groß", "größe:groß"), ("キー:値", "キー:値"), ("e\u{301}", "e\u{301}"), ("a b", "a_b"), ("🧵", "_"),
            ("a@b", "a_b"), ("1", "1"), ("a\\nb", "a_nb"), ("a\"b'", "a_b_"),
        ]
    )
    func tags(text: String, expected: String) async throws {
        #expect(DogStatsDTag(text).description == expected)
        #expect(try await messages { $0.histogram("n", 1, tags: [DogStatsDTag(text)]) } == ["n:1|h|#\(expected)"])
    }

    @Test(
        "the first colon ends the key of a tag",
        arguments: [
            ("a", "b", "a:b"), ("a:b", "c:d", "a_b:c:d"), ("", "v", "v"), ("k", "", "k"), ("k:l", "", "k_l"),
            ("", "", ""),
            ("a,b", "c|d", "a_b:c_d"), ("größe", "1 m", "größe:1_m"),
        ]
    )
    func keysAndValues(key: String, value: String, expected: String) {
        #expect(DogStatsDTag(key, value).description == expected)
    }

    @Test("empty tags are not sent")
    func emptyTags() async throws {
        #expect(
            try await messages { $0.histogram("n", 1, tags: [DogStatsDTag(""), "a", DogStatsDTag("", "")]) } == [
                "n:1|h|#a"
            ]
        )
        #expect(try await messages { $0.histogram("n", 1, tags: [DogStatsDTag("")]) } == ["n:1|h"])
    }

    @Test("separators in other fields become underscores")
    func fields() async throws {
        #expect(try await messages { $0.set("n", "a|b\nc\rd") } == ["n:a_b_c_d|s"])
        #expect(try await messages { $0.serviceCheck("a|b\n", .ok, hostname: "c|d") } == ["_sc|a_b_|0|h:c_d"])
        #expect(
            try await messages {
                $0.event(title: "t", text: "x", aggregationKey: "a|b", sourceType: "c\n", hostname: "|")
            } == ["_e{1,1}:t|x|h:_|k:a_b|s:c_"]
        )
        #expect(try await messages({ $0.containerID = "a|#b\n" }) { $0.histogram("n", 1) } == ["n:1|h|c:a_#b_"])
    }
}
