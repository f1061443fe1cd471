// SPDX-License-Identifier: Apache-2.0

/// The parts that have a meaning in inputs.
enum Words {
    static let ofValues: [[UInt8]] =
        bytes([
            "{", "}", "{}", ",", "\"", "\\", "NULL", "null", "[0:2]=", "{\"a\",NULL}", "\\x", "\\x00ff", "t", "f",
            "true",
            "NaN", "Infinity", "-Infinity", "infinity", "0", "1", "-", "+", ".", "e", "e400", "1e-400", "0x10",
            "9223372036854775807", "9223372036854775808", "18446744073709551615", "0.1", "1.0000000000",
            "2000-01-01", " 00:00:00", "24:00:00", "23:59:60", ".123456", "+00", "-00:00:59", "+05:30", " BC",
            "0000-01-01",
            "294276-12-31", "5874897-12-31", "4714-11-24 BC", "2023-02-29",
            "00112233-4455-6677-8899-aabbccddeeff", "null", "[1,2]", "\"x\"", "{\"a\":1}", "\u{1}{}", "ä", "\u{301}",
            "٣",
        ]) + [
            [0], [0xFF], [0x7F], [0x80], [0, 0, 0, 0], [0, 0, 0, 1], [0, 0, 0, 4], [0, 0, 0, 8],
            [0xFF, 0xFF, 0xFF, 0xFF],
            [0x7F, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0], [0, 0, 0, 23], [0, 0, 0, 25], [0, 0, 6, 164], [0xC0, 0],
            [0xD0, 0],
            [0xF0, 0], [0x40, 0], [0x27, 0x0F], [0x27, 0x10], [0x3F, 0xFF], [0xED, 0xA0, 0x80],
        ]

    static let ofParameters: [[UInt8]] =
        bytes(["NULL", "{", "\"", "\\", "ä", "🙂", "\u{301}"]) + [
            [0], [0xFF], [0x7F], [0x80], Array(repeating: 0, count: 8), Array(repeating: 0xFF, count: 8),
            [0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF], [0x80, 0, 0, 0, 0, 0, 0, 0],
            [0x7F, 0xF0, 0, 0, 0, 0, 0, 0],
        ]

    static let ofURLs = bytes([
        "postgresql", "postgres", "postgresq", "://", ":", "/", "//", "@", "?", "#", "[", "]", "[::1]", "%", "%41",
        "%zz",
        "%25", "%00", "%2F", "h", "::1", "127.0.0.1", ":5432", ":65536", ":-1", ":x", "0", ",", "=", "&", "host=",
        "port=",
        "dbname=", "user=", "password=", "sslmode=require", "sslmode", "connect_timeout=", "connect_timeout=10",
        "ssl=true",
        "application_name=", "options=-c", "target_session_attrs=any", "'", "\\", "\\'", " ", "user", ":hunter2@",
        "hunter2",
        "password=hunter2", "hunter2=", "?hunter2", "\0", "ä", "\u{301}", "\t", "\n", "+", "9999999999999999999",
    ])

    static let ofFailures = bytes([
        "connection to server at \"127.0.0.1\", port 5432 failed: ",
        "connection to server on socket \"/tmp/x\" failed: ",
        "FATAL:  28P01: ", "FATAL:  53300: ", "FATAL:  57P03: ", "password authentication failed for user \"u\"", "\n",
        "\t",
        "LOCATION:  auth_failed, auth.c:326", "SSL error: ", "certificate verify failed", "server does not support SSL",
        "invalid ", "could not match ", "Connection refused", ":  ", "28000: ", "ABCDE: ", "no password supplied", "ä",
        "\0",
        "SCHWERWIEGEND:  3D000: ", "is the server running?", "\r",
    ])

    private static func bytes(_ texts: [String]) -> [[UInt8]] { texts.map { Array($0.utf8) } }
}
