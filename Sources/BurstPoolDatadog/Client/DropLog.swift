// SPDX-License-Identifier: Apache-2.0

import BurstPoolSampling
import Logging
import Synchronization

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

/// Logs that messages were dropped, at most once in an interval.
final class DropLog: Sendable {
    private struct State {
        var loggedAt: Duration?
        var logged = DropCounts()
    }

    private let logger: Logger
    private let address: DogStatsDAddress
    private let interval: Duration
    private let stopwatch: Stopwatch
    private let state = Mutex(State())

    /// Returns `nil` if the configuration has no logger.
    init?(_ configuration: DogStatsDConfiguration) {
        guard let logger = configuration.logger else { return nil }
        self.logger = logger
        address = configuration.address
        interval = configuration.logInterval
        stopwatch = Stopwatch(configuration.clock)
    }

    /// Logs the messages that were dropped since the previous line.
    ///
    /// - Parameter ignoringInterval: Whether to log even if the interval since the previous line has not passed.
    func log(_ dropped: DropCounts, ignoringInterval: Bool) {
        let metadata: Logger.Metadata? = state.withLock { state in
            let now = stopwatch.elapsed
            guard dropped.total > state.logged.total else { return nil }
            if !ignoringInterval, let loggedAt = state.loggedAt, now - loggedAt < interval { return nil }
            defer { state = State(loggedAt: now, logged: dropped) }
            var metadata: Logger.Metadata = ["address": "\(address)"]
            for kind in DogStatsDStatistics.DropReason.Kind.allCases where dropped[kind] > state.logged[kind] {
                metadata["\(kind)"] = "\(dropped[kind] - state.logged[kind])"
            }
            return metadata
        }
        guard let metadata else { return }
        logger.warning(
            "DogStatsD messages were dropped. Aggregated counts and gauges are sent again at the next flush.",
            metadata: metadata
        )
    }
}

extension DogStatsDConfiguration {
    /// Logs a warning if the agent's unix socket does not exist.
    func logMissingSocket() {
        guard let logger, case .unixSocket(let path) = address else { return }
        var status = stat()
        let problem: String
        if stat(path, &status) != 0 {
            problem = String(cString: strerror(errno))
        } else if status.st_mode & S_IFMT != S_IFSOCK {
            problem = "It is not a socket."
        } else {
            return
        }
        logger.warning(
            "The agent's socket cannot be used yet. Messages are dropped until the agent has created it.",
            metadata: ["address": "\(address)", "problem": "\(problem)"]
        )
    }
}
