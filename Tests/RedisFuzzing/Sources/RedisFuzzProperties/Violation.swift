/// An input for which something does not hold that must hold for every input.
package struct Violation: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

func require(_ condition: Bool, _ what: @autoclosure () -> String) throws(Violation) {
    if !condition { throw Violation(what()) }
}

/// What must hold for every input of a kind.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// The input is a URL.
    case url
    /// The input is what a server sends.
    case reply

    /// - Throws: ``Violation``. What traps or hangs is a violation, too, and not thrown.
    package func check(_ input: [UInt8]) throws {
        switch self {
        case .url:
            try URLProperties(url: String(decoding: input, as: UTF8.self)).check()
        case .reply:
            try ReplyProperties(wire: input).check()
            try ChannelProperties(wire: input).check()
        }
    }
}
