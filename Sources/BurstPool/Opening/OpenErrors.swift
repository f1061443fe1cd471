// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The failures of attempts to open a connection.
final class OpenErrors: Sendable {
    private let sinceSuccess = LatestError()
    private let latestFailure = LatestError()
    private let failures = Atomic(0)

    /// The latest error, if no connection has opened since.
    var sinceLastSuccess: (any Error)? { sinceSuccess.load() }

    /// The latest error, whether or not a connection has opened since.
    var latest: (any Error)? { latestFailure.load() }

    /// The number of failed attempts. It may wrap.
    var count: Int { failures.load(ordering: .acquiring) }

    func noteSuccess() {
        sinceSuccess.store(nil)
    }

    func noteFailure(_ error: any Error) {
        sinceSuccess.store(error)
        latestFailure.store(error)
        // Releasing: a thread that sees the number finds the error.
        failures.add(1, ordering: .releasing)
    }
}
