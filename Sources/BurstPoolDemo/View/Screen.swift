// SPDX-License-Identifier: Apache-2.0

/// Shows the progress of a run.
protocol Screen: Sendable {
    /// The time between two calls of ``show(_:_:)``.
    var interval: Duration { get }

    func show(_ timeline: Timeline, _ context: LoadContext)

    func finish()
}
