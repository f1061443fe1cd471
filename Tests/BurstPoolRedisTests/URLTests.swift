import BurstPoolRedis
import Testing

@Suite("URLs", .timeLimit(.minutes(5)))
struct URLTests {
    @Test(
        "a URL means what it says",
        arguments: [
            ("redis://localhost", .init(host: "localhost")),
            ("redis://localhost/", .init(host: "localhost")),
            ("REDIS://example.com:7000", .init(host: "example.com", port: 7000)),
            ("redis://10.0.0.1:1/15", .init(host: "10.0.0.1", port: 1).with { $0.database = 15 }),
            ("redis://[::1]", .init(host: "::1")),
            ("redis://[2001:db8::7]:65535/2", .init(host: "2001:db8::7", port: 65_535).with { $0.database = 2 }),
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
            (
                "redis://h/?username=u&password=p%26&client_name=c",
                .init(host: "h").with {
                    $0.username = "u"
                    $0.password = "p&"
                    $0.clientName = "c"
                }
            ),
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
            ("unix:///run/a%20b@c.sock?db=4", .init(unixSocketPath: "/run/a b@c.sock").with { $0.database = 4 }),
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
    func good(url: String, expected: RedisConfiguration) throws {
        #expect(try RedisConfiguration(url: url) == expected)
    }

    @Test(
        "a URL that makes no sense is refused, and the error names the part and the reason",
        arguments: [
            ("", "URL: it is empty"),
            (" ", "URL: it contains a space"),
            ("redis://h\r\n", "control character"),
            ("localhost", "scheme: there is none"),
            ("localhost:6379", "scheme: there is none"),
            ("redis:/localhost", "scheme: there is none"),
            ("://h", "scheme: it is empty"),
            ("http://h", "scheme: 'http' is not one for Redis"),
            ("rediss://h", "TLS"),
            ("redis://", "host: it is empty"),
            ("redis:///3", "host: it is empty"),
            ("redis://:6379", "host: it is empty"),
            ("redis://user:pw@", "host: it is empty"),
            ("redis://h:", "port: there is none"),
            ("redis://h:0", "port: 0 is not between"),
            ("redis://h:65536", "port: 65536 is not between"),
            ("redis://h:-1", "port: what follows the ':' is not a number"),
            ("redis://h:+1", "port: what follows the ':' is not a number"),
            ("redis://h:6379x", "port: what follows the ':' is not a number"),
            ("redis://h:99999999999999999999", "port: what follows the ':' is not a number"),
            ("redis://h/x", "database: 'x' is not a number"),
            ("redis://h/-1", "database: -1 is negative"),
            ("redis://h/+1", "database: '+1' is not a number"),
            ("redis://h/1.0", "database: '1.0' is not a number"),
            ("redis://h/1/2", "database: '1/2' is not a number"),
            ("redis://h/99999999999999999999", "database"),
            ("redis://h/1?db=2", "database: it is given twice"),
            ("redis://h?db=1&db=2", "option 'db': it is given twice"),
            ("redis://h?db=", "database: '' is not a number"),
            ("redis://h?db", "option: 'db' has no value"),
            ("redis://h?databse=1", "option 'databse': there is no such option"),
            ("redis://h?timeout=0", "option 'timeout': '0' is not above zero"),
            ("redis://h?timeout=-1", "option 'timeout': '-1' is not a time"),
            ("redis://h?timeout=nan", "option 'timeout': 'nan' is not a time"),
            ("redis://h?timeout=1e5", "option 'timeout': '1e5' is not a time"),
            ("redis://h?timeout=5h", "option 'timeout': '5h' is not a time"),
            ("redis://h?timeout=99999999999", "thirty years"),
            ("redis://h?protocol=3", "option 'protocol': '3'"),
            ("redis://u:p@h?password=q", "password: it is given twice"),
            ("redis://[::1", "host: the '['"),
            ("redis://[::1]x", "host: there is something"),
            ("redis://[1.2.3.4]", "host: '1.2.3.4' is not an IPv6 address"),
            ("redis://[]", "host: '' is not an IPv6 address"),
            ("redis://::1:6379", "host: there are several ':'"),
            ("redis://a,b", "host: 'a,b' contains a character"),
            ("redis://h%00", "contains a character"),
            ("redis://h%2", "host: a '%' is not followed"),
            ("redis://:%zz@h", "password: a '%' is not followed"),
            ("redis://:%ff@h", "password: what the '%' stand for is not UTF-8"),
            ("redis://h#1", "fragment"),
            ("unix://run/redis.sock", "path: the path of a unix socket must start with '/'"),
            ("unix://", "path: it is empty"),
            ("unix:///", "path: it is empty"),
            ("unix:///a%00b", "zero byte"),
            ("unix:///x?db=-1", "database: -1 is negative"),
            ("unix:///" + String(repeating: "x", count: 200), "too long"),
        ]
    )
    func bad(url: String, complaint: String) {
        let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(error?.code == .invalidURL)
        #expect(error?.message.contains(complaint) == true, "\(error?.message ?? "")")
    }

    @Test(
        "no error quotes a password, even one that is not encoded as it should be",
        arguments: [
            "redis://:se/cret@h", "redis://:se?cret@h", "redis://:se#cret@h", "redis://:cret%@h", "redis://u:cret@h:x",
            "redis://u:p@cret/x@h", "redis://u:cret", "rediss://:cret@h", "unix://:cret/@run",
            "redis://h?password=cret&password=cret",
            "redis://:cret@h/x", "redis://h?password=se&cret", "redis://h?password=se&cret=1",
            "redis://h?password=se&timeout=cret",
        ]
    )
    func secrecy(url: String) {
        let error = #expect(throws: RedisError.self) { try RedisConfiguration(url: url) }
        #expect(error.map { "\($0)".contains("cret") } == false, "\(error?.message ?? "")")
    }

    @Test("a configuration does not show its password")
    func description() throws {
        let configuration = try RedisConfiguration(url: "redis://user:cret@[::1]:7/3?client_name=c")
        var dumped = ""
        dump(configuration, to: &dumped)
        for text in ["\(configuration)", String(reflecting: configuration), dumped] {
            #expect(!text.contains("cret"))
            #expect(text.contains("[::1]:7, database 3, user user, password (hidden), client name c"))
        }
    }

    @Test("junk of all kinds is refused or taken, and traps nothing")
    func junk() {
        let pieces = [
            "redis", "unix", "://", ":", "/", "//", "@", "?", "#", "[", "]", "%", "%41", "%f", "h", "::1", "6379", "-1",
            "99999999999999999999", "=", "&", "db", "timeout", "ä", "\u{301}", "\0", "\r\n", " ", "🧵", "user",
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
