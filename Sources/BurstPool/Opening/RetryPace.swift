// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// When the next round of connection attempts may begin after one has failed, and what callers are told until then.
struct RetryPace: ~Copyable, Sendable {
    private let backoff: ConnectionBackoff?
    /// The end of the pause; 0 if there is none.
    private let pausedUntil = Atomic<UInt64>(0)
    private let permanentError = LatestError()
    /// Whether the latest failure was one that the strategy calls permanent.
    private let isPermanent = Atomic(false)

    init(_ backoff: ConnectionBackoff?) {
        self.backoff = backoff
    }

    /// Whether a caller whose attempt has failed waits for another one.
    var retries: Bool { backoff != nil }

    /// Whether only one attempt at a time may run, because the server has refused the credentials or their like.
    var allowsOneAttempt: Bool { isPermanent.load(ordering: .sequentiallyConsistent) }

    /// The error that callers get during the pause, if the strategy calls it permanent.
    var errorForCallers: (any Error)? { allowsOneAttempt ? permanentError.load() : nil }

    /// Returns the end of the pause, or `nil` if an attempt may begin now.
    func pauseEnd(now: () -> UInt64) -> UInt64? {
        let until = pausedUntil.load(ordering: .sequentiallyConsistent)
        return until > 0 && now() < until ? until : nil
    }

    /// Begins a pause after a failure.
    ///
    /// - Parameters:
    ///   - failures: The number of failed rounds in a row, at least 1.
    ///   - permanent: The error, if the strategy calls it permanent.
    func noteFailure(_ failures: Int, permanent: (any Error)?, now: UInt64) {
        guard let backoff else { return }
        if let permanent { permanentError.store(permanent) }
        isPermanent.store(permanent != nil, ordering: .sequentiallyConsistent)
        pausedUntil.store(
            now.addingSaturated(backoff.delay(afterFailures: failures)),
            ordering: .sequentiallyConsistent
        )
    }

    func noteSuccess() {
        guard pausedUntil.load(ordering: .sequentiallyConsistent) != 0 || allowsOneAttempt else { return }
        pausedUntil.store(0, ordering: .sequentiallyConsistent)
        isPermanent.store(false, ordering: .sequentiallyConsistent)
        permanentError.store(nil)
    }
}
