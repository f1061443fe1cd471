// SPDX-License-Identifier: Apache-2.0

/// The code of a link, which is the path of its short URL.
struct LinkCode: Sendable, Hashable, CustomStringConvertible {
    let text: String

    /// Longer than every path of the service, so that no code collides with `/metrics`, and long enough that codes cannot be
    /// guessed: there are 62⁸, about 2 × 10¹⁴.
    static let length = 8

    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// Returns `nil` for a text that cannot be a code, which saves a round trip to the database.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count == Self.length, text.utf8.allSatisfy(Self.alphabet.contains) else { return nil }
        self.text = String(text)
    }

    /// Returns a random code.
    static func random() -> LinkCode {
        let characters = (0..<length).map { _ in alphabet[Int.random(in: alphabet.indices)] }
        return LinkCode(validated: String(decoding: characters, as: UTF8.self))
    }

    private init(validated text: String) {
        self.text = text
    }

    var description: String { text }
}
