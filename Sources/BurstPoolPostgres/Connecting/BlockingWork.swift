// SPDX-License-Identifier: Apache-2.0

import Dispatch

/// Runs calls that block the thread, such as name resolution, outside Swift's cooperative thread pool.
enum BlockingWork {
    /// Starts a call and returns at once.
    static func start(_ body: @escaping @Sendable () -> Void) {
        // Each serial queue may have a thread of its own, beyond the number of processors.
        DispatchQueue(label: "burst-pool.postgres.blocking").async(execute: body)
    }

    /// Starts a call after a pause.
    static func start(after pause: DispatchTimeInterval, _ body: @escaping @Sendable () -> Void) {
        DispatchQueue(label: "burst-pool.postgres.blocking").asyncAfter(deadline: .now() + pause, execute: body)
    }

    /// Runs a call and returns its result.
    static func run<Result: Sendable>(_ body: @escaping @Sendable () -> Result) async -> Result {
        await withUnsafeContinuation { continuation in
            start { continuation.resume(returning: body()) }
        }
    }
}
