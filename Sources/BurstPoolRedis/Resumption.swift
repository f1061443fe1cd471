/// Resumes a continuation exactly once, whatever becomes of the work that was to do it.
///
/// An event loop that has been shut down drops what one asks it to execute, without a word. The closure that is dropped
/// takes its `Resumption` along, and the waiting task learns that its event loop is gone rather than waiting for ever.
///
/// Sendable because it is called on one event loop only, and deinitialized when nobody can call it any more.
final class Resumption<Value: Sendable>: @unchecked Sendable {
    private var continuation: CheckedContinuation<Value, any Error>?
    private let codeIfDropped: RedisError.Code

    init(_ continuation: CheckedContinuation<Value, any Error>, ifDropped code: RedisError.Code) {
        self.continuation = continuation
        codeIfDropped = code
    }

    deinit {
        continuation?.resume(throwing: RedisError(codeIfDropped, "the event loop has been shut down"))
    }

    /// Resumes the continuation; later calls do nothing.
    func callAsFunction(_ result: Result<Value, any Error>) {
        let continuation = continuation
        self.continuation = nil
        continuation?.resume(with: result)
    }
}
