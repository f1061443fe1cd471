/// Why a pool's configuration could not be read.
public struct ConnectionPoolConfigurationReadError: Error, Sendable, Hashable {
    /// What kind of error it is. New kinds can be added, so a `switch` needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        enum Kind: String, Sendable {
            case missing, invalid
        }

        let kind: Kind

        /// There is nothing at a key that is required.
        public static let missing = Code(kind: .missing)
        /// What is at the key is not of the kind that it has to be.
        public static let invalid = Code(kind: .invalid)

        public var description: String { kind.rawValue }
    }

    /// What kind of error it is.
    public let code: Code
    /// The key, as seen from the reader.
    public let key: String
    /// What is there, as text. `nil`: nothing.
    public let value: String?
    /// What is wrong, and what is allowed, in English.
    public let message: String

    static func missing(_ key: String) -> ConnectionPoolConfigurationReadError {
        ConnectionPoolConfigurationReadError(
            code: .missing,
            key: key,
            value: nil,
            message: "there is no number at '\(key)', which is required"
        )
    }

    static func invalid(_ key: String, _ value: String, allowed: String) -> ConnectionPoolConfigurationReadError {
        ConnectionPoolConfigurationReadError(
            code: .invalid,
            key: key,
            value: value,
            message: "'\(key)' is '\(value)', but has to be \(allowed)"
        )
    }
}

extension ConnectionPoolConfigurationReadError: CustomStringConvertible {
    public var description: String { "ConnectionPoolConfigurationReadError.\(code): \(message)" }
}
