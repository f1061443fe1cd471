// SPDX-License-Identifier: Apache-2.0

import Logging
import Synchronization

/// Knows whether a database worked the last time it was used, and logs when that changes.
final class Reachability: Sendable {
    private let isDown = Atomic(false)
    private let outage = Mutex(Outage())
    /// The name of the database, such as Redis.
    let system: String
    private let logger: Logger

    private struct Outage {
        var began = ContinuousClock.now
        var latestFailure = ContinuousClock.now
    }

    /// An outage is over when nothing has failed for this time, because failures and successes mix at its beginning and end.
    private static let quietTime = Duration.milliseconds(200)

    init(system: String, logger: Logger) {
        self.system = system
        self.logger = logger
    }

    var isReachable: Bool { !isDown.load(ordering: .relaxed) }

    func failed(_ error: any Error) {
        let now = ContinuousClock.now
        let isFirst = outage.withLock { outage in
            outage.latestFailure = now
            if isDown.exchange(true, ordering: .relaxed) { return false }
            outage.began = now
            return true
        }
        if isFirst { logger.warning("\(system) cannot be used", metadata: ["error": "\(error)"]) }
    }

    func succeeded() {
        if isReachable { return }
        let now = ContinuousClock.now
        let duration: Duration? = outage.withLock { outage in
            guard now - outage.latestFailure >= Self.quietTime, isDown.exchange(false, ordering: .relaxed) else {
                return nil
            }
            return outage.latestFailure - outage.began
        }
        if let duration { logger.notice("\(system) can be used again", metadata: ["outage": "\(duration)"]) }
    }
}
