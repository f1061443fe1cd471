// SPDX-License-Identifier: Apache-2.0

/// The values that all tasks of the load share.
struct LoadContext: Sendable {
    let pool: DemoPool
    /// The limits of the pool, which are zero after its shutdown.
    let maxSize: Int
    let hardLimit: Int
    let schedule: Schedule
    let start: ContinuousClock.Instant
    let stop: StopSignal
    let expectedErrors: ExpectedErrors
    let journal: Journal
    let keyPrefix: String
    let seed: UInt64

    var elapsed: Duration { ContinuousClock.now - start }
}
