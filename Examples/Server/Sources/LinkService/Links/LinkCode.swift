/// The name of a link, which is the path of its short URL.
struct LinkCode: Sendable, Hashable, CustomStringConvertible {
    let text: String

    /// Longer than any path of the service itself, so that no code is hidden behind `/metrics`; and so many that codes
    /// cannot be guessed: 62⁸ are 2 × 10¹⁴.
    static let length = 8

    private static let alphabet = Array("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz".utf8)

    /// A code that can exist; `nil` if none looks like this, and it is not worth a question to Redis.
    init?(_ text: some StringProtocol) {
        guard text.utf8.count == Self.length, text.utf8.allSatisfy(Self.alphabet.contains) else { return nil }
        self.text = String(text)
    }

    /// A code by chance, from the system's source of randomness.
    static func random() -> LinkCode {
        let characters = (0..<length).map { _ in alphabet[Int.random(in: alphabet.indices)] }
        return LinkCode(validated: String(decoding: characters, as: UTF8.self))
    }

    private init(validated text: String) {
        self.text = text
    }

    var description: String { text }
}
