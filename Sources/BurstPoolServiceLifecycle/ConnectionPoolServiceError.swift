public import BurstPool

/// Why a pool did not start as a service, where no error of the pool or of its strategy says it.
public struct ConnectionPoolServiceError: Error, Sendable {
    /// What kind of error it is. New kinds can be added, so a `switch` needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        enum Kind: String, Sendable {
            case prewarmTimedOut
        }

        let kind: Kind

        /// The connections asked for were not open within ``ConnectionPoolServiceConfiguration/startTimeout``.
        public static let prewarmTimedOut = Code(kind: .prewarmTimedOut)

        public var description: String { kind.rawValue }
    }

    /// What kind of error it is.
    public let code: Code
    /// What happened, in English.
    public let message: String
    /// What the pool was doing at that moment.
    public let statistics: ConnectionPoolStatistics

    static func prewarmTimedOut(
        wanted: Int,
        timeout: Duration,
        statistics: ConnectionPoolStatistics
    ) -> ConnectionPoolServiceError {
        ConnectionPoolServiceError(
            code: .prewarmTimedOut,
            message: "\(wanted) connections were to be open within \(timeout), but there are \(statistics)",
            statistics: statistics
        )
    }
}

extension ConnectionPoolServiceError: CustomStringConvertible {
    public var description: String { "ConnectionPoolServiceError.\(code): \(message)" }
}
