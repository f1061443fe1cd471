/// Why a client could not be made.
///
/// Only making a client can fail. What becomes of a metric, an event or a service check that cannot be sent is counted:
/// see ``DogStatsDStatistics``.
public struct DogStatsDError: Error, Sendable, Hashable {
    /// What kind of error it is. New kinds can be added, so a `switch` needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        enum Kind: String, Sendable {
            case invalidConfiguration, invalidAddress
        }

        let kind: Kind

        /// A setting is out of range or makes no sense.
        public static let invalidConfiguration = Code(kind: .invalidConfiguration)
        /// A URL, a host, a port or a path does not say where an agent is.
        public static let invalidAddress = Code(kind: .invalidAddress)

        public var description: String { kind.rawValue }
    }

    /// What kind of error it is.
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
