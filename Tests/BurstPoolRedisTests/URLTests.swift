// SPDX-License-Identifier: Apache-2.0

import BurstPoolRedis
import Testing

@Suite("URLs", .timeLimit(.minutes(5)))
struct URLTests {
    @Test(
        "A valid URL gives the configuration that it describes",
        arguments: [
            ("redis://localhost", .init(host: "localhost")),
            ("redis://localhost/", .init(host: "localhost")),
            ("redis://localhost:6379/0/", .init(host: "localhost")),
            ("REDIS://LOCALHOST", .init(host: "LOCALHOST")),
            ("REDIS://example.com:7000", .init(host: "example.com", port: 7000)),
            ("valkey://localhost:7000/1", .init(host: "localhost", port: 7000).with { $0.database = 1 }),
            ("redis://10.0.0.1:1/15", .init(host: "10.0.0.1", port: 1).with { $0.database = 15 }),
            ("redis://[::1]", .init(host: "::1")),
            ("redis://[::1]:6379/2", .init(host: "::1").with { $0.database = 2 }),
            ("redis://[2001:db8::7]:65535/2", .init(host: "2001:db8::7", port: 65_535).with { $0.database = 2 }),
            ("redis://[fe80::1%25eth0]:6379", .init(host: "fe80::1%eth0")),
            ("redis://:@localhost", .init(host: "localhost")),
            ("redis://:secret@h", .init(host: "h").with { $0.password = "secret" }),
            ("redis://user@h", .init(host: "h").with { $0.username = "user" }),
            (
                "redis://us%40er:p%3Aa%2Fs:s%25@h:1",
                .init(host: "h", port: 1).with {
                    $0.username = "us@er"
                    $0.password = "p:a/s:s%"
                }
            ),
            ("redis://:p%C3%A4%40ss@h", .init(host: "h").with { $0.password = "pä@ss" }),
            ("redis://:a@b@h", .init(host: "h").with { $0.password = "a@b" }),
            ("redis://h?db=3", .init(host: "h").with { $0.database = 3 }),
            ("redis://localhost:6379/?db=2", .init(host: "localhost").with { $0.database = 2 }),
            ("redis://localhost:6379/1?db=1", .init(host: "localhost").with { $0.database = 1 }),
            (
                "redis://h/?username=u&password=p%26&client_name=c",
                .init(host: "h").with {
                    $0.username = "u"
                    $0.password = "p&"
                    $0.clientName = "c"
                }
            ),
            ("redis://h/0?timeout=500ms", .init(host: "h").with { $0.commandTimeout = .milliseconds(500) }),
            (
                "redis://h?connect_timeout=250ms&timeout=1.5&protocol=2",
                .init(host: "h").with {
                    $0.connectTimeout = .milliseconds(250)
                    $0.commandTimeout = .milliseconds(1500)
                }
            ),
            (
                "redis://h?socket_connect_timeout=2s&socket_timeout=1m",
                .init(host: "h").with {
                    $0.connectTimeout = .seconds(2)
                    $0.commandTimeout = .seconds(60)
                }
            ),
            ("unix:///run/redis.sock", .init(unixSocketPath: "/run/redis.sock")),
            ("unix:///var/run/redis.sock?db=3", .init(unixSocketPath: "/var/run/redis.sock").with { $0.database = 3 }),
            ("unix:///run/a%20b@c.sock?db=4", .init(unixSocketPath: "/run/a b@c.sock").with { $0.database = 4 }),
            (
                "unix://:secret@/var/run/redis.sock",
                .init(unixSocketPath: "/var/run/redis.sock").with { $0.password = "secret" }
            ),
            (
                "redis+unix://u:p@/run/redis.sock?database=4",
                .init(unixSocketPath: "/run/redis.sock").with {
                    $0.username = "u"
                    $0.password = "p"
                    $0.database = 4
                }
            ),
            ("redis-socket:///s", .init(unixSocketPath: "/s")),
            ("redis+socket:///s", .init(unixSocketPath: "/s")),
        ] as [(String, RedisConfiguration)]
    )
    func valid(url: String, expected: RedisConfiguration) throws {
        #expect(try RedisConfiguration(url: url) == expected)
    }

    @Test(
        "An invalid URL is refused, and the error names the part and the reason",
        arguments: [
            ("", "URL is invalid: it is empty"),
            (" ", "starts or ends with white space"),
            (" redis://localhost", "starts or ends with white space"),
            ("redis://h\r\n", "starts or ends with white space"),
            ("redis://a b", "contains a space or a control character"),
            ("localhost", "scheme of the Redis URL is invalid: it is missing"),
            ("localhost:6379", "rediss:// for TLS, with redis:// without TLS"),
            ("/var/run/redis.sock", "put unix:// in front of it"),
            ("redis:/localhost", "it is missing"),
            ("://h", "scheme of the Redis URL is invalid: it is empty"),
            ("http://h", "'http' is not a scheme for Redis"),
            ("redis-sentinel://localhost:26379/mymaster", "names Redis Sentinel, which this client does not support"),
            ("rediss+sentinel://localhost:26379/mymaster", "names Redis Sentinel, which this client does not support"),
            ("redis-cluster://localhost:7000", "names Redis Cluster, which this client does not support"),
            ("rediss+socket:///x", "TLS on a unix socket"),
            ("redis://", "host of the Redis URL is invalid: it is empty"),
            ("redis:///1", "For a server on this machine, write localhost"),
            ("redis://:6379", "host of the Redis URL is invalid: it is empty"),
            ("redis://user:pw@", "host of the Redis URL is invalid: it is empty"),
            ("redis://h:", "port of the Redis URL is invalid: it is missing"),
            ("redis://h:0", "0 is not between 1 and 65535"),
            ("redis://localhost:65536", "65536 is not between 1 and 65535"),
            ("redis://h:-1", "the text after the ':' is not a number"),
            ("redis://h:+1", "the text after the ':' is not a number"),
            ("redis://h:6379x", "the text after the ':' is not a number"),
            ("redis://h:99999999999999999999", "the text after the ':' is not a number"),
            ("redis://localhost:6379/mydb", "database of the Redis URL is invalid: 'mydb' is not a number"),
            ("redis://localhost:6379/-1", "-1 is negative"),
            ("redis://h/+1", "'+1' is not a number"),
            ("redis://h/1.0", "'1.0' is not a number"),
            ("redis://h/1/2", "'1/2' is not a number"),
            ("redis://h/99999999999999999999", "database"),
            ("redis://h/1?db=2", "given twice, with different values"),
            ("redis://h?db=1&db=2", "option 'db' of the Redis URL is invalid: it is given twice"),
            ("redis://h?db=", "'' is not a number"),
            ("redis://h?db", "option 'db' of the Redis URL is invalid: it has no value"),
            ("redis://h?databse=1", "option 'databse' of the Redis URL is invalid: there is no such option"),
            ("redis://localhost:6379/0?pool_size=10", "Set them in ConnectionPoolConfiguration"),
            ("redis://localhost:6379/0?health_check_interval=30", "ConnectionPoolConfiguration.validateAfterIdle"),
            ("redis://h?max_retries=3", "ConnectionPoolConfiguration.connectRetry"),
            ("redis://h?timeout=0", "'0' is not more than zero"),
            ("redis://h?timeout=-1", "'-1' is not a time"),
            ("redis://h?timeout=nan", "'nan' is not a time"),
            ("redis://h?timeout=1e5", "'1e5' is not a time"),
            ("redis://h?timeout=5h", "'5h' is not a time"),
            ("redis://h?timeout=99999999999", "30 years"),
            ("redis://h?protocol=3", "'3' is not supported"),
            ("redis://u:p@h?password=q", "password of the Redis URL is invalid: it is given twice"),
            ("redis://user:p#ss@localhost", "write it as %23"),
            ("redis://user:p%zzss@localhost", "password of the Redis URL is invalid: a '%' is not followed"),
            ("redis://[::1", "no matching ']'"),
            ("redis://[::1]x", "text between the ']' and the port"),
            ("redis://[1.2.3.4]", "'1.2.3.4' is not an IPv6 address"),
            ("redis://[fe80::1%25]", "is not an IPv6 address"),
            ("redis://[]", "'' is not an IPv6 address"),
            ("redis://::1:6379", "several ':'"),
            ("redis://a,b", "'a,b' contains a character"),
            ("redis://h%00", "contains a character"),
            ("redis://h%2", "host of the Redis URL is invalid: a '%' is not followed"),
            ("redis://:%ff@h", "not valid UTF-8"),
            ("redis://h#1", "fragment"),
            ("unix://var/run/redis.sock", "three slashes"),
            ("unix://", "path of the Redis URL is invalid: it is empty"),
            ("unix:///", "path of the Redis URL is invalid: it is empty"),
            ("unix:///a%00b", "zero byte"),
            ("unix:///x?db=-1", "-1 is negative"),
            ("unix:///x?ssl=true", "TLS on TCP ports only"),
            ("unix:///" + String(repeating: "x", count: 200), "too long"),
            ("rediss://h?ssl=false", "the scheme of the URL asks for TLS"),
            ("rediss://h?ssl=maybe", "'maybe' is neither true nor false"),
            ("rediss://h?ssl_cert_reqs=optional", "'optional' is not supported"),
            ("rediss://h?ssl_certfile=/a", "needs both ssl_certfile and ssl_keyfile"),
            ("rediss://h?ssl_ca_certs=", "not the path of a file"),
            ("redis://h?ssl_ca_certs=/a", "the URL does not ask for it. Write rediss://"),
        ]
    )
    func invalid(url: String, complaint: String) {
        let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(error?.code == .invalidURL)
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
    }

    @Test(
        "A URL that asks for TLS gives a TLS configuration",
        arguments: [
            ("rediss://h", .init()),
            ("valkeys://localhost:6379", .init()),
            ("redis+ssl://h", .init()),
            ("rediss://h?ssl=true", .init()),
            ("redis://h?ssl=true", .init()),
            ("redis://h?tls=1", .init()),
            ("rediss://h?ssl_check_hostname=false", RedisTLSConfiguration().with { $0.verification = .withoutName }),
            ("rediss://h?ssl_cert_reqs=none", RedisTLSConfiguration().with { $0.verification = .none }),
            (
                "rediss://h?ssl_ca_certs=/ca%20x.pem&server_name=cache.internal",
                RedisTLSConfiguration().with {
                    $0.trustRoots = .certificates(.file(path: "/ca x.pem"))
                    $0.serverName = "cache.internal"
                }
            ),
            (
                "rediss://h?ssl_certfile=/c.pem&ssl_keyfile=/k.pem",
                RedisTLSConfiguration().with {
                    $0.clientCertificate = .init(chain: .file(path: "/c.pem"), privateKey: .file(path: "/k.pem"))
                }
            ),
        ] as [(String, RedisTLSConfiguration)]
    )
    func tls(url: String, expected: RedisTLSConfiguration) throws {
        #expect(try RedisConfiguration(url: url).tls == expected)
    }

    @Test(
        "A URL that does not ask for TLS gives no TLS configuration",
        arguments: ["redis://h", "redis://h?ssl=false"]
    )
    func plainText(url: String) throws {
        #expect(try RedisConfiguration(url: url).tls == nil)
    }

    @Test(
        "The error for a URL that asks for TLS never recommends a connection without it",
        arguments: [
            "rediss://", "rediss://h:x", "valkeys://h/x", "rediss+socket:///x", "rediss+cluster://h",
            "rediss-sentinel://h",
            "rediss://h?nonsense=1", "rediss://h?ssl=false", "rediss://h?ssl_certfile=/a",
        ]
    )
    func safeAdvice(url: String) {
        let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(error?.message.contains("redis://") == false, "\(error?.message ?? "")")
        #expect(error?.message.contains("ithout TLS") == false, "\(error?.message ?? "")")
    }

    @Test(
        "No error contains a password, even one that is not encoded correctly",
        arguments: [
            "redis://:se/cret@h", "redis://:se?cret@h", "redis://:se#cret@h", "redis://:cret%@h", "redis://u:cret@h:x",
            "redis://u:p@cret/x@h", "redis://u:cret", "rediss://:cret@h/x", "unix://:cret/@run", "u:cret@h:6379",
            "redis://h?password=cret&password=secret",
            "redis://:cret@h/x", "redis://h?password=se&cret", "redis://h?password=se&cret=1",
            "redis://h?password=se&timeout=cret", "redis-sentinel://:cret@h", " redis://:cret@h",
        ]
    )
    func secrecy(url: String) {
        let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(error.map { "\($0)".contains("cret") } == false, "\(error?.message ?? "")")
    }

    @Test("Descriptions of a configuration do not contain its password")
    func description() throws {
        let configuration = try RedisConfiguration(url: "redis://user:cret@[::1]:7/3?client_name=c")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("cret"))
            #expect(text.contains("[::1]:7, database 3, user user, password (hidden), client name c"))
        }
    }

    @Test("Descriptions of a TLS configuration and of credentials do not contain secrets")
    func secretsInDescriptions() {
        var tls = RedisTLSConfiguration()
        tls.clientCertificate = .init(chain: .file(path: "/c.pem"), privateKey: .text("cret"))
        for value in [tls, RedisCredentials(username: "u", password: "cret", validFor: .seconds(1))] as [Any] {
            var dumped = ""
            dump(value, to: &dumped)
            for text in ["\(value)", String(reflecting: value), dumped] { #expect(!text.contains("cret")) }
        }
    }

    @Test("Random text is parsed or refused, and never causes a trap")
    func randomText() {
        let pieces = [
            "redis", "rediss", "unix", "://", ":", "/", "//", "@", "?", "#", "[", "]", "%", "%41", "%f", "h", "::1",
            "6379",
            "-1", "99999999999999999999", "=", "&", "db", "timeout", "ssl", "ä", "\u{301}", "\0", "\r\n", " ", "🧵",
            "user",
        ]
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let count = Int.random(in: 0...8, using: &generator)
            let tail = (0..<count).compactMap { _ in pieces.randomElement(using: &generator) }.joined()
            for url in [tail, "redis://" + tail, "unix:///" + tail] {
                do {
                    _ = try RedisConfiguration(url: url)
                } catch let error as RedisError {
                    #expect(error.code == .invalidURL)
                } catch {
                    Issue.record(error)
                }
            }
        }
    }
}

extension RedisConfiguration {
    fileprivate func with(_ change: (inout RedisConfiguration) -> Void) -> RedisConfiguration {
        var changed = self
        change(&changed)
        return changed
    }
}

extension RedisTLSConfiguration {
    fileprivate func with(_ change: (inout RedisTLSConfiguration) -> Void) -> RedisTLSConfiguration {
        var changed = self
        change(&changed)
        return changed
    }
}
