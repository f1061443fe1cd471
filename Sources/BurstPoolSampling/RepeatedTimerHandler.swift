// SPDX-License-Identifier: Apache-2.0

/// A timer of a metrics backend that can record one duration several times in a single call.
///
/// swift-metrics has no such call. A backend that adopts this protocol in its `TimerHandler` makes the acquisitions of idle
/// connections cheap to record: all that happened since the previous refresh arrive as one call.
public protocol RepeatedTimerHandler: Sendable {
    /// Records a duration in nanoseconds `count` times.
    func recordNanoseconds(_ duration: Int64, count: Int)
}
