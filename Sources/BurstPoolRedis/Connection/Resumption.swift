// SPDX-License-Identifier: Apache-2.0

/// Resumes a continuation exactly once, even if the work that should resume it never runs.
///
/// An event loop that has been shut down silently drops the closures it is asked to execute. The dropped closure
/// releases its `Resumption`, whose deinitializer then resumes the waiting task with an error instead of leaving it
/// suspended for ever.
///
/// Sendable because it is called on one event loop only, and deinitialized when no caller is left.
final class Resumption<Value: Sendable>: @unchecked Sendable {
    private var continuation: CheckedContinuation<Value, any Error>?
    private let codeIfDropped: RedisError.Code

    init(_ continuation: CheckedContinuation<Value, any Error>, ifDropped code: RedisError.Code) {
        self.continuation = continuation
        codeIfDropped = code
    }

    deinit {
        continuation?.resume(throwing: RedisError(codeIfDropped, "The event loop has been shut down."))
    }

    /// Resumes the continuation. Later calls do nothing.
    func callAsFunction(_ result: Result<Value, any Error>) {
        let continuation = continuation
        self.continuation = nil
        continuation?.resume(with: result)
    }
}
