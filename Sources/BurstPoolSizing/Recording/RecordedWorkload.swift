// SPDX-License-Identifier: Apache-2.0

/// What a ``WorkloadRecorder`` has recorded of a pool.
///
/// It is `Codable`. Its JSON is what the command `burst-pool-size` reads.
public struct RecordedWorkload: Sendable, Hashable, Codable {
    /// How long the recording took, in seconds.
    public var seconds: Double
    /// The number of callers that have acquired a connection or have failed to.
    public var callers: UInt64
    /// The number of callers that have failed to acquire a connection.
    public var failedCallers: UInt64
    /// The most callers in one second of the recording.
    public var busiestSecond: UInt64
    /// The number of attempts to open a connection that have failed.
    public var failedConnects: UInt64
    /// How long callers have used connections.
    public var use: DurationHistogram
    /// How long opening a connection took, of the attempts that have succeeded.
    public var connect: DurationHistogram
    /// How long callers have waited for a connection. Callers that got an idle connection have waited for zero.
    public var wait: DurationHistogram

    /// The longest recording that makes sense, in seconds: about 30 years.
    private static let longestRecording = 1e9

    /// The number of callers per second, or 0 if the recording took no time.
    public var callersPerSecond: Double { seconds > 0 ? Double(callers) / seconds : 0 }

    /// Returns the load that was recorded, at its average rate, with the recorded durations.
    ///
    /// - Parameter connect: How long opening a connection takes. Default: `nil`, which means as recorded.
    /// - Throws: A ``SizingError`` if the recording has no callers, no uses, or no connects although `connect` is `nil`.
    public func load(connect: DurationDistribution? = nil) throws(SizingError) -> PoolLoad {
        func incomplete(_ description: String) -> SizingError { SizingError(.incompleteWorkload, description) }
        guard seconds > 0, seconds <= Self.longestRecording, callers > 0 else {
            throw incomplete(
                "The workload has \(callers) callers in \(seconds) seconds. Record a pool that is used, for some minutes."
            )
        }
        guard !use.isEmpty else {
            throw incomplete("The workload has no durations of uses. Record until callers have released connections.")
        }
        guard connect != nil || !self.connect.isEmpty else {
            throw incomplete(
                "The workload has no durations of connects, because no connection was opened during the recording. Say how long opening one takes."
            )
        }
        return PoolLoad(rate: callersPerSecond, use: .recorded(use), connect: connect ?? .recorded(self.connect))
    }
}
