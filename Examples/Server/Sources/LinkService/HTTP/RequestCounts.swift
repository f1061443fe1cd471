// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Synchronization

/// The numbers of requests by their outcome, for the page and for the last line of the log.
final class RequestCounts: Sendable {
    private let begun = Atomic(0)
    private let succeeded = Atomic(0)
    private let redirected = Atomic(0)
    private let clientErrors = Atomic(0)
    private let serverErrors = Atomic(0)
    private let unavailable = Atomic(0)

    /// The numbers since the service started.
    struct Snapshot: Sendable, Equatable {
        /// Responses with a status of 2xx.
        var succeeded = 0
        /// Responses with a status of 3xx.
        var redirected = 0
        /// Responses with a status of 4xx.
        var clientErrors = 0
        /// Responses with a status of 5xx.
        var serverErrors = 0
        /// Responses with the status 503, which are also part of ``serverErrors``.
        var unavailable = 0
        /// Requests in progress.
        var active = 0

        var answered: Int { succeeded + redirected + clientErrors + serverErrors }
    }

    func begin() {
        begun.add(1, ordering: .relaxed)
    }

    func end(with status: HTTPResponse.Status) {
        switch status.kind {
        case .informational, .successful: succeeded.add(1, ordering: .relaxed)
        case .redirection: redirected.add(1, ordering: .relaxed)
        case .clientError: clientErrors.add(1, ordering: .relaxed)
        case .serverError, .invalid:
            serverErrors.add(1, ordering: .relaxed)
            if status == .serviceUnavailable { unavailable.add(1, ordering: .relaxed) }
        }
    }

    var snapshot: Snapshot {
        var counts = Snapshot(
            succeeded: succeeded.load(ordering: .relaxed),
            redirected: redirected.load(ordering: .relaxed),
            clientErrors: clientErrors.load(ordering: .relaxed),
            serverErrors: serverErrors.load(ordering: .relaxed),
            unavailable: unavailable.load(ordering: .relaxed)
        )
        counts.active = max(0, begun.load(ordering: .relaxed) - counts.answered)
        return counts
    }
}
