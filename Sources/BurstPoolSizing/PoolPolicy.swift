// SPDX-License-Identifier: Apache-2.0

public import BurstPool

/// The settings of a pool that decide how long its callers wait.
///
/// They have the names and the meaning that they have in a `ConnectionPoolConfiguration`.
public struct PoolPolicy: Sendable, Hashable {
    /// How many connections the pool keeps.
    public var maxSize: Int
    /// How many connections there may be at any time. Default: `nil`, which means ``maxSize``.
    public var burstLimit: Int?
    /// How long an excess connection is kept while it is idle. Default: `nil`, which means that it is closed at once.
    public var burstLinger: Duration?
    /// How long the pool waits for a connection to be released before it opens one. Default: `nil`.
    public var connectDelay: Duration?
    /// How many connections are opened at the same time. Default: `nil`, which means without limit.
    public var maxConcurrentConnects: Int?
    /// How long a caller waits for a connection. Default: `nil`, which means without limit.
    public var acquireTimeout: Duration?

    /// Creates a policy.
    public init(maxSize: Int, burstLimit: Int? = nil) {
        self.maxSize = maxSize
        self.burstLimit = burstLimit
    }

    /// Takes the policy from the configuration of a pool.
    public init(_ configuration: ConnectionPoolConfiguration) {
        maxSize = configuration.maxSize
        burstLimit = configuration.burstLimit
        burstLinger = configuration.burstLinger
        connectDelay = configuration.connectDelay
        maxConcurrentConnects = configuration.maxConcurrentConnects
        acquireTimeout = configuration.acquireTimeout
    }

    /// The most connections at any time.
    public var hardLimit: Int { burstLimit ?? maxSize }
}

// MARK: Limits

extension PoolPolicy {
    /// The greatest ``maxSize`` and ``burstLimit`` of a simulation: 20,000.
    public static let largestSize = 20_000

    func validate() throws(SizingError) {
        guard (1...Self.largestSize).contains(maxSize) else {
            throw SizingError(
                .invalidPolicy,
                "maxSize is \(maxSize). It must be at least 1 and at most \(Self.largestSize)."
            )
        }
        if let burstLimit, !(maxSize...Self.largestSize).contains(burstLimit) {
            throw SizingError(
                .invalidPolicy,
                "burstLimit is \(burstLimit) and maxSize is \(maxSize). burstLimit must be at least maxSize and at most \(Self.largestSize)."
            )
        }
        if burstLinger != nil, burstLimit == nil {
            throw SizingError(.invalidPolicy, "burstLinger is set and burstLimit is not. Set burstLimit as well.")
        }
        if let maxConcurrentConnects, maxConcurrentConnects < 1 {
            throw SizingError(
                .invalidPolicy,
                "maxConcurrentConnects is \(maxConcurrentConnects). It must be at least 1."
            )
        }
        let durations = [
            ("burstLinger", burstLinger), ("connectDelay", connectDelay), ("acquireTimeout", acquireTimeout),
        ]
        for (name, duration) in durations {
            guard let duration else { continue }
            guard duration > .zero, duration <= PoolLoad.greatestDuration else {
                throw SizingError(.invalidPolicy, "\(name) is \(duration). It must be above 0 and at most 1 hour.")
            }
        }
    }
}
