// SPDX-License-Identifier: Apache-2.0

import RedisFuzzProperties

/// Generates inputs, most of them by changing inputs of the corpus.
struct Mutator {
    let target: FuzzTarget
    let corpus: [[UInt8]]
    var random: SeededRandom

    /// Longer inputs take more time and find nothing else.
    private static let maximumBytes = 4096

    mutating func next() -> [UInt8] {
        var input = corpus.isEmpty || random.oneIn(4) ? fresh() : random.element(of: corpus)
        for _ in 0..<random.number(0...5) { change(&input) }
        return Array(input.prefix(Self.maximumBytes))
    }

    private mutating func fresh() -> [UInt8] {
        switch target {
        case .url:
            let scheme = random.element(of: ["redis://", "rediss://", "unix:///", "unix://", ""])
            let tail = (0..<random.number(0...10)).map { _ in random.element(of: target.words) }
            return Array((scheme + tail.joined()).utf8)
        case .reply:
            return (0..<random.number(1...6)).flatMap { _ in RandomReply.wire(depth: 8, using: &random) }
        }
    }

    private mutating func change(_ input: inout [UInt8]) {
        let here = random.number(0...input.count)
        let end = min(here + random.number(1...8), input.count)
        switch random.number(0...7) {
        case 0: input.insert(contentsOf: random.element(of: target.words).utf8, at: here)
        case 1: input.replaceSubrange(here..<end, with: random.element(of: target.words).utf8)
        case 2: input.removeSubrange(here..<end)
        case 3: input.insert(contentsOf: input[here..<end], at: here)
        case 4: if here < end { input[here] ^= 1 << random.number(0...7) }
        case 5: if here < end { input[here] = UInt8(random.number(0...255)) }
        case 6: input.removeSubrange(here...)
        default:
            guard !corpus.isEmpty else { return }
            let other = random.element(of: corpus)
            input.replaceSubrange(here..., with: other[random.number(0...other.count)...])
        }
    }
}

extension FuzzTarget {
    /// The words that have a meaning in such an input.
    fileprivate var words: [String] {
        switch self {
        case .url:
            [
                "redis", "rediss", "unix", "redis+socket", "://", ":", "/", "//", "@", "?", "#", "[", "]", "[::1]", "%",
                "%41", "%f", "%25", "%00", "%ff", "h", "::1", "127.0.0.1", ":6379", "-1", "0", "65535", "65536",
                "99999999999999999999", "=", "&", "db=", "database=", "timeout=", "connect_timeout=", "client_name=",
                "username=", "password=", "protocol=2", "ssl=true", "ssl=false", "ssl_ca_certs=/a",
                "ssl_certfile=/a", "ssl_keyfile=/a", "ssl_check_hostname=no", "ssl_cert_reqs=none", "server_name=",
                "1.5", "ms", "1e5", "nan", "0x10", "ä", "\u{301}", "\0", "\r\n",
                " ", "user", ":hunter2@", "password=hunter2", "hunter2", ",", ";", "\\", "+", "٣", "½",
            ]
        case .reply:
            [
                "\r\n", "\r", "\n", "+", "-", ":", "$", "*", "%", "~", "#", "_", ",", "(", "=", "!", ">", "|", "0", "1",
                "-1", "-2", "2147483647", "2147483648", "4294967296", "9223372036854775807", "-9223372036854775808",
                "9223372036854775808", "18446744073709551616", "00", "+1", "$0\r\n\r\n", "$-1\r\n", "*-1\r\n", "*0\r\n",
                "*1\r\n", "*2\r\n", "*1048577\r\n", "$1048577\r\n", "$1024\r\n", "+OK\r\n", "-ERR x\r\n", ":1\r\n",
                "\0",
                "$3\r\nabc\r\n", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n",
            ]
        }
    }
}
