// SPDX-License-Identifier: Apache-2.0

import Testing

/// Waits until a condition holds that other tasks bring about. It lets them run and checks again.
///
/// The number of checks is limited, so that a test fails instead of hanging.
func eventually(
    _ what: Comment,
    sourceLocation: SourceLocation = #_sourceLocation,
    _ condition: () -> Bool
) async throws {
    for attempt in 0..<22_000 {
        if condition() { return }
        if attempt < 2_000 {
            await Task.yield()
        } else {
            // The machine is busy, so leave it to the other tasks for a while.
            try? await Task.sleep(for: .milliseconds(1))
        }
    }
    Issue.record("this never happened: \(what)", sourceLocation: sourceLocation)
    throw NeverHappened()
}

struct NeverHappened: Error {}

/// Gives other tasks the opportunity to do something that they must not do.
func letOthersRun() async {
    for _ in 0..<100 { await Task.yield() }
}
