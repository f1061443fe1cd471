// SPDX-License-Identifier: Apache-2.0

/// The reason why a client could not be created.
///
/// Only the creation of a client can fail. Messages that cannot be sent are counted: see ``DogStatsDStatistics``.
public struct DogStatsDError: Error, Sendable, Hashable {
    /// The kind of error. New kinds may be added, so a `switch` needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        enum Kind: String, Sendable {
            case invalidConfiguration, invalidAddress
        }

        let kind: Kind

        /// A setting is out of range.
        public static let invalidConfiguration = Code(kind: .invalidConfiguration)
        /// A URL, a host, a port or a path is not a valid address of an agent.
        public static let invalidAddress = Code(kind: .invalidAddress)

        public var description: String { kind.rawValue }
    }

    /// The kind of error.
    public let code: Code

    /// What is wrong, with which value, and what is allowed, in English.
    public let message: String

    init(_ code: Code, _ message: String) {
        self.code = code
        self.message = message
    }
}

extension DogStatsDError: CustomStringConvertible {
    public var description: String { "DogStatsDError.\(code): \(message)" }
}

extension DogStatsDError {
    static func invalidConfiguration(_ message: String) -> DogStatsDError {
        DogStatsDError(.invalidConfiguration, message)
    }

    static func invalidAddress(_ message: String) -> DogStatsDError {
        DogStatsDError(.invalidAddress, message)
    }
}
