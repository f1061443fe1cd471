// SPDX-License-Identifier: Apache-2.0

/// The reason why the configuration of a pool or a fleet could not be read.
public struct ConnectionPoolConfigurationReadError: Error, Sendable, Hashable {
    /// The kind of error. New kinds may be added, so a `switch` needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        enum Kind: String, Sendable {
            case missing, invalid
        }

        let kind: Kind

        /// A required key has no value.
        public static let missing = Code(kind: .missing)
        /// The value at a key has the wrong type or format, or contradicts the value at another key.
        public static let invalid = Code(kind: .invalid)

        public var description: String { kind.rawValue }
    }

    /// The kind of error.
    public let code: Code
    /// The key, relative to the reader.
    public let key: String
    /// The value as text; `nil` if there is none.
    public let value: String?
    /// What is wrong, and what is allowed, in English.
    public let message: String

    static func missing(_ key: String) -> ConnectionPoolConfigurationReadError {
        ConnectionPoolConfigurationReadError(
            code: .missing,
            key: key,
            value: nil,
            message:
                "'\(key)' is required and has no value. The name of its environment variable ends in \(EnvironmentName.of(key))."
        )
    }

    static func invalid(_ key: String, _ value: String, allowed: String) -> ConnectionPoolConfigurationReadError {
        ConnectionPoolConfigurationReadError(
            code: .invalid,
            key: key,
            value: value,
            message: "'\(key)' is '\(value)', but must be \(allowed)."
        )
    }

    static func contradiction(
        _ key: String,
        _ value: String,
        _ otherKey: String,
        _ otherValue: String
    ) -> ConnectionPoolConfigurationReadError {
        ConnectionPoolConfigurationReadError(
            code: .invalid,
            key: key,
            value: value,
            message: "'\(key)' is \(value), but '\(otherKey)' is \(otherValue). Remove one of them."
        )
    }
}

extension ConnectionPoolConfigurationReadError: CustomStringConvertible {
    public var description: String { "ConnectionPoolConfigurationReadError.\(code): \(message)" }
}
