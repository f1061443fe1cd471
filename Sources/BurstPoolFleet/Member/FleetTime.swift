// SPDX-License-Identifier: Apache-2.0

/// A clock of any kind, whose moments are durations since this value was created.
struct FleetTime: Sendable {
    private let read: @Sendable () -> Duration
    private let wait: @Sendable (Duration) async throws -> Void

    init(_ clock: some Clock<Duration>) {
        let origin = clock.now
        read = { origin.duration(to: clock.now) }
        wait = { moment in try await clock.sleep(until: origin.advanced(by: moment), tolerance: nil) }
    }

    var now: Duration { read() }

    /// Sleeps until a moment, or until the task is cancelled.
    func sleep(until moment: Duration) async throws { try await wait(moment) }
}
