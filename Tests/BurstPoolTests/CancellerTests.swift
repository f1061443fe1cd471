// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPool

struct CancellerTests {
    @Test("A task that is registered after the cancellation is cancelled")
    func cancelledBefore() async {
        let canceller = Canceller()
        canceller.cancel()
        let task = Task { await sleepUntilCancelled() }
        canceller.watch(task)
        #expect(task.isCancelled)
        task.cancel()
        await task.value
    }

    @Test("A registered task is cancelled by the cancellation, and not earlier")
    func cancelledAfter() async {
        let canceller = Canceller()
        let task = Task { await sleepUntilCancelled() }
        canceller.watch(task)
        #expect(!task.isCancelled)
        canceller.cancel()
        await task.value
        #expect(task.isCancelled)
    }

    private func sleepUntilCancelled() async {
        try? await Task.sleep(for: .seconds(60))
    }
}
