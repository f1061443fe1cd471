// SPDX-License-Identifier: Apache-2.0

/// An input violates a property that must hold for every input.
package struct Violation: Error, CustomStringConvertible {
    package let description: String

    init(_ description: String) {
        self.description = description
    }
}

func require(_ condition: Bool, _ what: @autoclosure () -> String) throws(Violation) {
    if !condition { throw Violation(what()) }
}

/// A kind of input.
package enum FuzzTarget: String, CaseIterable, Sendable {
    /// The input is a URL.
    case url
    /// The input is bytes from a server.
    case reply

    /// Checks the properties of an input.
    ///
    /// - Throws: ``Violation``. An input that traps or hangs is a violation too, but cannot be thrown.
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
