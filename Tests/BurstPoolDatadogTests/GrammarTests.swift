// SPDX-License-Identifier: Apache-2.0

import BurstPoolDatadog
import Foundation
import Testing

@Suite("The grammar, checked by a parser in another language", .timeLimit(.minutes(2)))
struct GrammarTests {
    private let receiver: PythonReceiver
    private let client: DogStatsDClient
    private let path = uniqueSocketPath()

    init() async throws {
        // A unix socket does not lose datagrams.
        receiver = try await PythonReceiver(.grammar, path: path)
        client = try DogStatsDClient(configuration: quietConfiguration(receiver.address))
    }

    /// Returns what the receiver parses when values are recorded.
    private func read(_ count: Int, _ record: () -> Void) async throws -> [ReadMessage] {
        record()
        await client.flush()
        let messages = try await receiver.messages(count)
        for message in messages where message.error != nil {
            Issue.record("\(message.error ?? "") in \(message.datagram ?? "")")
        }
        #expect(messages.count == count)
        return messages
    }

    private func finish() async {
        await client.shutdown()
        #expect(client.statistics.messagesDropped == 0, "\(client.statistics)")
        unlink(path)
    }

    @Test("any name, tag, title and message produces one message that follows the grammar")
    func anything() async throws {
        var texts = TextGenerator()
        for _ in 0..<400 {
            // The name starts with a letter, because a name without letters is dropped. Other tests cover that.
            let name = "n" + texts.next()
            let (key, value, tag) = (texts.next(), texts.next(), texts.next())
            let tags = [DogStatsDTag(key, value), DogStatsDTag(tag)]
            let expectedTags = [expectedTag(key, value), expectedTag(tag)].filter { !$0.isEmpty }
            let (title, text, message) = ("t" + texts.next(), texts.next(), texts.next())
            let field = texts.next()

            let read = try await read(4) {
                client.histogram(name, 1, tags: tags)
                client.set(name, "m" + field, tags: tags)
                client.event(
                    title: title,
                    text: text,
                    aggregationKey: field,
                    sourceType: field,
                    hostname: field,
                    tags: tags
                )
                client.serviceCheck("s" + field, .warning, message: message, hostname: field, tags: tags)
            }
            guard read.count == 4 else { return }
            let tagsRead = expectedTags.isEmpty ? nil : expectedTags
            let fieldRead = field.isEmpty ? nil : expectedField(field)
            #expect(read[0] == ReadMessage(kind: "histogram", name: expectedName(name), values: [1], tags: tagsRead))
            #expect(
                read[1]
                    == ReadMessage(
                        kind: "set",
                        name: expectedName(name),
                        member: "m" + expectedField(field),
                        tags: tagsRead
                    )
            )
            #expect(
                read[2]
                    == ReadMessage(
                        kind: "event",
                        tags: tagsRead,
                        title: expectedText(title),
                        text: expectedText(text),
                        hostname: fieldRead,
                        aggregationKey: fieldRead,
                        sourceType: fieldRead
                    )
            )
            #expect(
                read[3]
                    == ReadMessage(
                        kind: "serviceCheck",
                        name: "s" + expectedField(field),
                        tags: tagsRead,
                        hostname: fieldRead,
                        status: 1,
                        message: message.isEmpty ? nil : expectedMessage(message)
                    )
            )
        }
        await finish()
    }

    @Test("numbers are parsed to the same value")
    func numbers() async throws {
        for _ in 0..<100 {
            let values = (0..<20).map { _ -> Double in
                // All orders of magnitude are equally likely.
                let number = Double(bitPattern: .random(in: 0 ... .max))
                return number.isFinite ? number : Double(Int.random(in: -1000...1000)) / 8
            }
            let count = Int.random(in: .min ... .max)
            let read = try await read(2) {
                client.distribution("d", values: values)
                client.count("c", count)
            }
            guard read.count == 2 else { return }
            #expect(read[0].values == values)
            #expect(read[1].values == [Double(count)])
        }
        await finish()
    }

    @Test("every field is parsed to its original value")
    func fields() async throws {
        for alertType in DogStatsDAlertType.allCases {
            for priority in DogStatsDPriority.allCases {
                let read = try await read(1) {
                    client.event(title: "t", text: "x", alertType: alertType, priority: priority, timestamp: 5)
                }
                #expect(
                    read == [
                        ReadMessage(
                            kind: "event",
                            timestamp: 5,
                            title: "t",
                            text: "x",
                            priority: priority.rawValue,
                            alertType: alertType.rawValue
                        )
                    ]
                )
            }
        }
        for status in DogStatsDServiceStatus.allCases {
            let read = try await read(1) { client.serviceCheck("s", status, timestamp: 7) }
            #expect(read == [ReadMessage(kind: "serviceCheck", name: "s", timestamp: 7, status: status.rawValue)])
        }
        await finish()
    }

    @Test("the parser refuses what the grammar does not allow")
    func parser() async throws {
        // The other tests rely on this parser to detect errors.
        let socket = try DatagramSender(path: path)
        let wrong = [
            "", "a", "a:1", "a:|c", ":1|c", "1a:1|c", "a b:1|c", "a:x|c", "a:1|x", "a:1|c|", "a:1|c|#", "a:1|c|#a,,b",
            "a:1|c|#a b", "a:1|c|#a|#b", "a:1|g|@0.5", "a:1|h|@2", "a:1|h|T5", "a:1|c|T0", "a:nan|c", "a:inf|g",
            "a:1|c\n\na:1|c",
            "a:1|c\r", "_e{1,1}:ab|c", "_e{0,1}:|x", "_e{1,2}:a|b", "_e{1,1}:a|bc", "_e{1,1}:a|b|x:y",
            "_e{1,1}:a|b|p:high",
            "_e{2,1}:ä|xy", "_sc|a", "_sc||0", "_sc|a|4", "_sc|a|0|m:x|h:y", "_sc|a|0|m:m:", "_sc|a|0|m:x|y",
        ]
        for datagram in wrong where !datagram.isEmpty {
            try socket.send(datagram)
            let read = try await receiver.messages(1)
            #expect(read.count == 1 && read[0].error?.hasPrefix("GrammarError") == true, "\(datagram): \(read)")
        }
        await finish()
    }
}

// MARK: - A second implementation of the escaping rules

private func expectedName(_ name: String) -> String {
    name.unicodeScalars.map { "\($0)".contains(/^[A-Za-z0-9_.]$/) ? "\($0)" : "_" }.joined()
}

private func expectedTag(_ key: String, _ value: String) -> String {
    let key = replace([":": "_"], in: expectedTag(key))
    return [key, expectedTag(value)].filter { !$0.isEmpty }.joined(separator: ":")
}

private func expectedTag(_ text: String) -> String {
    let allowed = /^[\p{L}\p{N}\p{Mn}\p{Mc}_\-:.\/]$/.matchingSemantics(.unicodeScalar)
    return text.unicodeScalars.map { "\($0)".contains(allowed) ? "\($0)" : "_" }.joined()
}

private func expectedField(_ text: String) -> String { replace(["|": "_", "\n": "_", "\r": "_"], in: text) }

/// Line breaks are line feeds, and the two characters `\` and `n` are the same as a line break.
private func expectedText(_ text: String) -> String {
    replace(["\\n": "\n"], in: replace(["\r": "\n"], in: replace(["\r\n": "\n"], in: text)))
}

private func expectedMessage(_ text: String) -> String {
    replace(["m\\:": "m:"], in: expectedText(replace(["|": "_"], in: text)))
}

/// Works on code points, because in a `String` a separator and a following accent are one character.
private func replace(_ replacements: [String: String], in text: String) -> String {
    var rest = text.unicodeScalars[...]
    var result = String.UnicodeScalarView()
    while let first = rest.first {
        if let (old, new) = replacements.first(where: { rest.starts(with: $0.key.unicodeScalars) }) {
            result += new.unicodeScalars
            rest.removeFirst(old.unicodeScalars.count)
        } else {
            result.append(first)
            rest.removeFirst()
        }
    }
    return String(result)
}

/// Texts with characters that could confuse a parser. They are the same in each run.
private struct TextGenerator {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    private static let pieces = [
        "a", "Z", "9", "_", ".", "-", "/", ":", ",", "|", "#", "@", "\n", "\r", "\r\n", "\\n", "\\", "m:", "m\\:", "\0",
        "\t",
        " ", "ä", "e\u{301}", "\u{301}", "🧵", "👩‍👩‍👧", "値", "\u{2028}", "\u{85}", "_e{1,1}:", "_sc|", "|#", "|T1", "|@0.5",
        "|m:", "}",
        "{", "\"", "'", "\u{FEFF}", "१", "Ⅷ", "½", "\u{10FFFF}",
    ]

    private mutating func random(below limit: Int) -> Int {
        // splitmix64
        state &+= 0x9E37_79B9_7F4A_7C15
        var mixed = state
        mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
        mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
        return Int((mixed ^ (mixed >> 31)) % UInt64(limit))
    }

    mutating func next() -> String {
        (0..<random(below: 8)).map { _ in
            if random(below: 8) > 0 { return Self.pieces[random(below: Self.pieces.count)] }
            return Unicode.Scalar(UInt32(random(below: 0x11_0000))).map { "\($0)" } ?? "?"
        }.joined()
    }
}
