// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPoolRedis

@Suite("Continuations that an event loop resumes", .timeLimit(.minutes(5)))
struct ResumptionTests {
    @Test("A task gets an error if its event loop drops the work")
    func dropped() async {
        let error = await redisError {
            try await withCheckedThrowingContinuation { continuation in
                let resumption = Resumption<Void>(continuation, ifDropped: .connectFailed)
                let work = { resumption(.success(())) }
                _ = work  // An event loop that has shut down releases its work like this.
            }
        }
        #expect(error?.code == .connectFailed)
        #expect(error?.message == "The event loop has been shut down.")
    }

    @Test("Only the first result resumes the task")
    func first() async throws {
        let value: Int = try await withCheckedThrowingContinuation { continuation in
            let resumption = Resumption(continuation, ifDropped: .connectFailed)
            resumption(.success(1))
            resumption(.success(2))
            resumption(.failure(CancellationError()))
        }
        #expect(value == 1)
    }
}
