import Testing

@testable import BurstPoolRedis

@Suite("Continuations that event loops resume", .timeLimit(.minutes(5)))
struct ResumptionTests {
    @Test("a task whose event loop drops its work learns of it")
    func dropped() async {
        let error = await redisError {
            try await withCheckedThrowingContinuation { continuation in
                let resumption = Resumption<Void>(continuation, ifDropped: .connectFailed)
                let work = { resumption(.success(())) }
                _ = work  // An event loop that has ended releases its work like this.
            }
        }
        #expect(error?.code == .connectFailed)
        #expect(error?.message == "the event loop has been shut down")
    }

    @Test("the first outcome counts")
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
