// SPDX-License-Identifier: Apache-2.0

import BurstPoolTesting
import Testing

extension ManualClock {
    /// Runs an operation in a task of its own. Until it ends, advances the clock by 10 milliseconds whenever a task sleeps on it.
    func advancing<Result: Sendable>(
        sourceLocation: SourceLocation = #_sourceLocation,
        while operation: @escaping @Sendable () async throws -> Result
    ) async throws -> Result {
        let isOver = Shared(false)
        let task = Task {
            defer { isOver.set(true) }
            return try await operation()
        }
        try await eventually("the operation ends", sourceLocation: sourceLocation) {
            if sleepers > 0, !isOver.value { advance(by: .milliseconds(10)) }
            return isOver.value
        }
        return try await task.value
    }
}
