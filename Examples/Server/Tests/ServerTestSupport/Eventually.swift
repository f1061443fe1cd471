// SPDX-License-Identifier: Apache-2.0

/// Polls until a condition holds, for example one about another process.
///
/// - Throws: `GuardedProcess.Failure` if the time is up.
public func eventually(
    _ what: String,
    within timeout: Duration = .seconds(120),
    _ holds: () async throws -> Bool
) async throws {
    let deadline = ContinuousClock.now + timeout
    while try await !holds() {
        guard ContinuousClock.now < deadline else { throw GuardedProcess.Failure("not so within \(timeout): \(what)") }
        try await Task.sleep(for: .milliseconds(5))
    }
}
