// SPDX-License-Identifier: Apache-2.0

public import BurstPoolSampling

/// A timer of a metrics backend that can record one duration several times in a single call.
///
/// Adopt it in the `TimerHandler` of a backend that is used with
/// ``ConnectionPoolTelemetryConfiguration/recordsImmediateAcquires``.
public typealias RepeatedTimerHandler = BurstPoolSampling.RepeatedTimerHandler
