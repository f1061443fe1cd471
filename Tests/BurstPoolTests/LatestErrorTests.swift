// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPool

@Suite(.timeLimit(.minutes(5)))
struct LatestErrorTests {
    @Test("A reader does not restore an error that is cleared while it reads")
    func readerAgainstForgetting() async {
        let latest = LatestError()
        for round in 0..<20_000 {
            latest.store(TestError("round \(round)"))
            let reader = Task.detached { latest.load() }
            if round & 1 == 0 { await Task.yield() }
            latest.store(nil)
            _ = await reader.value
            guard latest.load() == nil else {
                Issue.record("the error is back in round \(round)")
                return
            }
        }
    }

    @Test("The latest error stays until there is a later one")
    func stays() {
        let latest = LatestError()
        #expect(latest.load() == nil)
        for name in ["first", "second"] {
            latest.store(TestError(name))
            #expect(latest.load() as? TestError == TestError(name))
            #expect(latest.load() as? TestError == TestError(name))
        }
    }
}
