// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The `http` or `https` URL of a link.
struct LinkAddress: Sendable, Equatable {
    /// The reason why a text is not a valid URL.
    struct Refusal: Error {
        /// Completes a sentence, such as "it has no host".
        let reason: String
    }

    /// The length that all browsers and caches support.
    static let maximumLength = 2048

    let text: String

    init(_ text: String) throws(Refusal) {
        guard text.utf8.count <= Self.maximumLength else {
            throw Refusal(reason: "it is longer than \(Self.maximumLength) bytes")
        }
        // Printable ASCII characters are safe in a header. Line ends are not among them.
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

    /// The address without a slash at the end, as the beginning of other addresses.
    var asBase: String {
        get throws(Refusal) {
            guard !text.contains("?"), !text.contains("#") else {
                throw Refusal(reason: "nothing can follow a query or a fragment")
            }
            return text.hasSuffix("/") ? String(text.dropLast()) : text
        }
    }
}
