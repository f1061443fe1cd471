// SPDX-License-Identifier: Apache-2.0

import BurstPoolDatadog
import Testing

@Suite("Configuration", .timeLimit(.minutes(5)))
struct ConfigurationTests {
    @Test(
        "a URL is parsed",
        arguments: [
            ("udp://agent", .udp(host: "agent", port: 8125)), ("udp://agent:9125", .udp(host: "agent", port: 9125)),
            ("UDP://10.0.0.1:1/", .udp(host: "10.0.0.1", port: 1)), ("udp://[::1]", .udp(host: "::1", port: 8125)),
            ("udp://[2001:db8::7]:65535", .udp(host: "2001:db8::7", port: 65_535)),
            ("unix:///var/run/datadog/dsd.socket", .unixSocket(path: "/var/run/datadog/dsd.socket")),
            ("unixgram:///a b", .unixSocket(path: "/a b")),
        ] as [(String, DogStatsDAddress)]
    )
    func good(url: String, expected: DogStatsDAddress) throws {
        #expect(try DogStatsDAddress(url: url) == expected)
        #expect(try DogStatsDAddress(url: expected.description) == expected)
        #expect(try DogStatsDConfiguration(environment: ["DD_DOGSTATSD_URL": url]).address == expected)
        #expect(try DogStatsDConfiguration(environment: ["DD_AGENT_HOST": url]).address == expected)
    }

    @Test(
        "an invalid URL is refused with an error that states the reason",
        arguments: [
            ("", "is not the URL of an agent"), ("agent:8125", "is not the URL of an agent"),
            ("http://agent", "the unknown scheme 'http'"),
            ("unixstream:///run/x", "stream"), ("udp://", "The host of the agent is empty"),
            ("udp://:8125", "The host of the agent is empty"),
            ("udp://agent:", "port ''"), ("udp://agent:x", "port 'x'"), ("udp://agent:0", "port 0"),
            ("udp://agent:65536", "port 65536"), ("udp://agent:-1", "port '-1'"),
            ("udp://agent:99999999999999999999", "not a number"), ("udp://[::1", "without a ']'"),
            ("udp://[::1]x", "not a port"), ("udp://a b", "space"), ("unix://run/x", "absolute path"),
            ("unix://", "absolute path"), ("unix:///a\0b", "zero byte"),
            ("unix:///" + String(repeating: "x", count: 200), "201 bytes"),
        ]
    )
    func bad(url: String, complaint: String) {
        let error = #expect(throws: DogStatsDError.self) { try DogStatsDAddress(url: url) }
        #expect(error?.code == .invalidAddress)
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
    }

    private struct BadSetting: Sendable {
        var complaint: String
        var code = DogStatsDError.Code.invalidConfiguration
        var change: @Sendable (inout DogStatsDConfiguration) -> Void
    }

    @Test("an invalid setting is refused with an error that names it")
    func settings() {
        let settings = [
            BadSetting(complaint: "maximumDatagramSize is 63") { $0.maximumDatagramSize = 63 },
            BadSetting(complaint: "maximumDatagramSize is 65508") { $0.maximumDatagramSize = 65_508 },
            BadSetting(complaint: "maximumQueuedDatagrams is 0") { $0.maximumQueuedDatagrams = 0 },
            BadSetting(complaint: "flushInterval is 0.0 seconds") { $0.flushInterval = .zero },
            BadSetting(complaint: "prefix '1.'") { $0.prefix = "1." },
            BadSetting(complaint: "The host of the agent is empty", code: .invalidAddress) {
                $0.address = .udp(host: "", port: 1)
            },
            BadSetting(complaint: "port 0", code: .invalidAddress) { $0.address = .udp(host: "a", port: 0) },
            BadSetting(complaint: "path of the agent's socket is empty", code: .invalidAddress) {
                $0.address = .unixSocket(path: "")
            },
        ]
        for setting in settings {
            var configuration = DogStatsDConfiguration()
            setting.change(&configuration)
            let error = #expect(throws: DogStatsDError.self) { try DogStatsDClient(configuration: configuration) }
            #expect(error?.code == setting.code)
            #expect(error?.message.contains(setting.complaint) == true, "\(error?.message ?? "")")
        }
    }

    @Test("the defaults are those of Datadog")
    func defaults() async throws {
        let configuration = DogStatsDConfiguration()
        #expect(configuration.address == .udp(host: "127.0.0.1", port: 8125))
        #expect(try DogStatsDConfiguration(environment: [:]).address == .udp(host: "127.0.0.1", port: 8125))
        let client = try DogStatsDClient(configuration: configuration)
        await client.shutdown()
    }

    @Test(
        "the host and the port are read from the environment",
        arguments: [
            (["DD_AGENT_HOST": "agent"], .udp(host: "agent", port: 8125)),
            (["DD_AGENT_HOST": "agent", "DD_DOGSTATSD_PORT": "9"], .udp(host: "agent", port: 9)),
            (["DD_AGENT_HOST": "::1"], .udp(host: "::1", port: 8125)),
            (["DD_DOGSTATSD_PORT": "9"], .udp(host: "127.0.0.1", port: 9)),
            (["DD_AGENT_HOST": "agent", "DD_DOGSTATSD_URL": "unix:///x"], .unixSocket(path: "/x")),
            (["DD_AGENT_HOST": "", "DD_DOGSTATSD_URL": "", "DD_DOGSTATSD_PORT": ""], .standard),
        ] as [([String: String], DogStatsDAddress)]
    )
    func environment(environment: [String: String], expected: DogStatsDAddress) throws {
        #expect(try DogStatsDConfiguration(environment: environment).address == expected)
    }

    @Test(
        "an error names the environment variable",
        arguments: [
            (["DD_DOGSTATSD_PORT": "x"], "DD_DOGSTATSD_PORT has the port 'x'"),
            (["DD_DOGSTATSD_PORT": "0"], "DD_DOGSTATSD_PORT: The port 0"),
            (["DD_AGENT_HOST": "a b"], "DD_AGENT_HOST"), (["DD_DOGSTATSD_URL": "agent"], "DD_DOGSTATSD_URL: 'agent'"),
            (["DD_AGENT_HOST": "tcp://agent"], "DD_AGENT_HOST: 'tcp://agent'"),
        ]
    )
    func badEnvironment(environment: [String: String], complaint: String) {
        let error = #expect(throws: DogStatsDError.self) { try DogStatsDConfiguration(environment: environment) }
        #expect(error?.code == .invalidAddress)
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
    }

    @Test("tags are read from the environment")
    func tags() throws {
        let tags = { (environment: [String: String]) throws in
            try DogStatsDConfiguration(environment: environment).globalTags.map(\.description)
        }
        #expect(try tags([:]) == [])
        #expect(
            try tags(["DD_ENV": "prod", "DD_SERVICE": "shop", "DD_VERSION": "1.2", "DD_ENTITY_ID": "a-b"])
                == ["dd.internal.entity_id:a-b", "env:prod", "service:shop", "version:1.2"]
        )
        #expect(try tags(["DD_TAGS": "a:b, c:d e,,f"]) == ["a:b", "c:d_e", "f"])
        #expect(try tags(["DD_TAGS": " a:b  c "]) == ["a:b", "c"])
        #expect(try tags(["DD_TAGS": "env:dev,team:x", "DD_ENV": "prod"]) == ["env:prod", "team:x"])
        #expect(try tags(["DD_TAGS": "env:dev,team:x"]) == ["env:dev", "team:x"])
        #expect(try DogStatsDConfiguration(environment: ["DD_EXTERNAL_ENV": "it-false"]).externalData == "it-false")
    }
}
