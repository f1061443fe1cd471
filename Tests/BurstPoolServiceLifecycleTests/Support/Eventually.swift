import Testing

/// Waits until something holds, which must come about by itself: it lets other tasks run, and looks again.
///
/// The number of looks is limited so that a test fails instead of hanging; how long each takes does not matter.
func eventually(
    _ what: Comment,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () -> Bool
) async throws {
    for look in 0..<22_000 {
        if condition() { return }
        if look < 2_000 {
            await Task.yield()
        } else {
            // The machine is busy with something else: be out of its way.
            try? await Task.sleep(for: .milliseconds(1))
        }
    }
    Issue.record("this never came about: \(what)", sourceLocation: sourceLocation)
    throw NeverCameAbout()
}

struct NeverCameAbout: Error {}

/// Gives other tasks the opportunity to do what they should not do.
func letOthersRun() async {
    for _ in 0..<100 { await Task.yield() }
}
