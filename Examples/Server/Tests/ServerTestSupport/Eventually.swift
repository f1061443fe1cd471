/// Waits until something holds that nobody tells of, such as what another process does.
///
/// - Throws: `GuardedProcess.Failure` if it does not in time.
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
