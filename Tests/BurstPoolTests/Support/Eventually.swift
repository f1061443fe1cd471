// SPDX-License-Identifier: Apache-2.0

import Testing

/// Waits until a condition holds that must come about by itself. It lets other tasks run, and checks again.
///
/// The number of checks is limited, so that a test fails instead of hanging. How long each of them takes does not matter.
func eventually(
    _ what: Comment,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () async -> Bool
) async throws {
    for look in 0..<22_000 {
        if await condition() { return }
        if look < 2_000 {
            await Task.yield()
        } else {
            // Other processes are using the machine.
            try? await Task.sleep(for: .milliseconds(1))
        }
    }
    Issue.record("this never happened: \(what)", sourceLocation: sourceLocation)
    throw NeverCameAbout()
}

struct NeverCameAbout: Error {}

/// Gives other tasks time to do what they should not do.
func letOthersRun() async {
    for _ in 0..<100 { await Task.yield() }
}
