import Foundation

/// Where a link leads: an `http` or `https` URL.
struct LinkAddress: Sendable, Equatable {
    /// Why a text is not such a URL.
    struct Refusal: Error {
        /// Completes a sentence, such as "it has no host".
        let reason: String
    }

    /// As browsers and caches take it at least.
    static let maximumLength = 2048

    let text: String

    init(_ text: String) throws(Refusal) {
        guard text.utf8.count <= Self.maximumLength else {
            throw Refusal(reason: "it is longer than \(Self.maximumLength) bytes")
        }
        // What is printable in ASCII can stand in a header as it is, and no line end among it.
        guard text.utf8.allSatisfy({ (0x21...0x7E).contains($0) }) else {
            throw Refusal(reason: "it contains spaces, or characters that URLs write with %")
        }
        guard let parts = URLComponents(string: text, encodingInvalidCharacters: false) else {
            throw Refusal(reason: "it is not a URL")
        }
        guard let scheme = parts.scheme?.lowercased(), ["http", "https"].contains(scheme) else {
            throw Refusal(reason: "it does not begin with http:// or https://")
        }
        guard let host = parts.host, !host.isEmpty else {
            throw Refusal(reason: "it has no host")
        }
        self.text = text
    }

    /// The address as the beginning of others: without a slash at the end.
    var asBase: String {
        get throws(Refusal) {
            guard !text.contains("?"), !text.contains("#") else {
                throw Refusal(reason: "nothing can follow a query or a fragment")
            }
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }
    }
}
