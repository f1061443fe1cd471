// SPDX-License-Identifier: Apache-2.0

/// One use of a connection by a visitor. Its replies are such that no other visitor can expect them.
struct Visit: Sendable {
    /// A reply to another caller, or to no call.
    struct WrongReply: Error {
        let description: String
    }

    /// A reply that the proxy has visibly spoiled.
    struct SpoiledReply: Error {}

    let life: Int
    let visitor: Int
    let number: Int
    /// Another visitor.
    let neighbour: Int
    /// A random length, or a random number of parts.
    let size: Int

    /// A name that no other visit has.
    var name: String { "\(life).\(visitor).\(number)" }

    func token(_ part: String, padding: Int = 0) -> Token {
        Token(life: life, visitor: visitor, visit: number, part: part, padding: padding)
    }

    /// Checks that the bytes of a reply are a token of this visit.
    func check(_ bytes: [UInt8], are token: Token, _ command: String) throws {
        if bytes == token.bytes { return }
        if Token(bytes) == nil { throw SpoiledReply() }
        throw wrong(
            command,
            String(decoding: bytes.prefix(120), as: UTF8.self),
            String(decoding: token.bytes.prefix(80), as: UTF8.self)
        )
    }

    /// Checks that a stored value is a name that another visitor has stored.
    func checkNameOfNeighbour(_ bytes: [UInt8], _ command: String) throws {
        guard let stored = Token(bytes) else { throw SpoiledReply() }
        let expected = Token(life: life, visitor: neighbour, visit: stored.visit, part: "name")
        guard stored == expected else {
            throw wrong(command, String(decoding: bytes.prefix(120), as: UTF8.self), "the name of visitor \(neighbour)")
        }
    }

    func wrong(_ command: String, _ reply: String, _ expected: String) -> WrongReply {
        WrongReply(
            description:
                "visitor \(visitor) sent \(command) in visit \(number) and got '\(reply)' instead of '\(expected)'"
        )
    }
}
