// SPDX-License-Identifier: Apache-2.0

public import BurstPool

/// The reason why a pool did not start as a service, if it is not an error of the pool or its strategy.
public struct ConnectionPoolServiceError: Error, Sendable {
    /// The kind of error. New kinds may be added, so a `switch` needs a `default`.
    public struct Code: Sendable, Hashable, CustomStringConvertible {
        enum Kind: String, Sendable {
            case prewarmTimedOut
        }

        let kind: Kind

        /// The prewarmed connections were not open within ``ConnectionPoolServiceConfiguration/startTimeout``.
        public static let prewarmTimedOut = Code(kind: .prewarmTimedOut)

        public var description: String { kind.rawValue }
    }

    /// The kind of error.
    public let code: Code
    /// What happened and what to do about it, in English.
    public let message: String
    /// The state of the pool at that moment.
    public let statistics: ConnectionPoolStatistics

    static func prewarmTimedOut(
        _ poolName: String,
        wanted: Int,
        timeout: Duration,
        statistics: ConnectionPoolStatistics
    ) -> ConnectionPoolServiceError {
        ConnectionPoolServiceError(
            code: .prewarmTimedOut,
            message: """
                The pool \"\(poolName)\" could not open \(wanted) connections within \(timeout). It has \(statistics). Check the server, or \
                raise startTimeout or lower prewarmedConnections.
                """,
            statistics: statistics
        )
    }
}

extension ConnectionPoolServiceError: CustomStringConvertible {
    public var description: String { "ConnectionPoolServiceError.\(code): \(message)" }
}
