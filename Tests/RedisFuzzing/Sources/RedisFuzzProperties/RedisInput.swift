// SPDX-License-Identifier: Apache-2.0

import FuzzHarness

/// A kind of input.
package enum RedisInput: String, FuzzTarget {
    /// The input is a URL.
    case url
    /// The input is bytes from a server.
    case reply

    package func check(_ input: [UInt8]) throws {
        switch self {
        case .url:
            try URLProperties(url: String(decoding: input, as: UTF8.self)).check()
        case .reply:
            try ReplyProperties(wire: input).check()
            try ChannelProperties(wire: input).check()
        }
    }

    package func fresh(using random: inout SeededRandom) -> [UInt8] {
        switch self {
        case .url:
            let scheme = random.element(of: ["redis://", "rediss://", "unix:///", "unix://", ""])
            let words = words
            return Array(scheme.utf8) + (0..<random.number(0...10)).flatMap { _ in random.element(of: words) }
        case .reply:
            return (0..<random.number(1...6)).flatMap { _ in RandomReply.wire(depth: 8, using: &random) }
        }
    }

    package var words: [[UInt8]] { texts.map { Array($0.utf8) } }

    private var texts: [String] {
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
