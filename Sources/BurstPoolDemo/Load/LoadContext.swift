// SPDX-License-Identifier: Apache-2.0

/// The values that all tasks of the load and the view share.
struct LoadContext: Sendable {
    /// The limits of the pool, which are zero after its shutdown.
    let maxSize: Int
    let hardLimit: Int
    /// Whether the demo kills connections.
    let chaos: Bool
    let schedule: Schedule
    let start: ContinuousClock.Instant
    let stop: StopSignal
    let journal: Journal
    let seed: UInt64

    var elapsed: Duration { ContinuousClock.now - start }
}
