// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// The validated settings of a run.
struct DemoSettings: Sendable {
    var tasks: Int
    var seconds: Double
    var maxSize: Int
    var burstLimit: Int
    var chaos: Bool
    var server: ServerChoice
    var picturePath: String
    var seed: UInt64

    /// - Throws: ``DemoFailure``, or an error of the pool.
    init(
        tasks: Int?,
        seconds: Double,
        maxSize: Int,
        burstLimit: Int?,
        chaos: Bool,
        server: ServerChoice,
        picturePath: String,
        seed: UInt64?
    ) throws {
        guard seconds.isFinite, (0.5...86_400).contains(seconds) else {
            throw DemoFailure("--seconds is \(seconds), but must be from 0.5 to 86400.")
        }
        // The multiplication saturates, so that the pool reports a size that is too large.
        let burstLimit = burstLimit ?? maxSize.multipliedSaturating(by: 3)
        let largestTasks = 100_000
        let tasks = tasks ?? min(largestTasks, max(1, burstLimit.multipliedSaturating(by: 5)))
        // The pool validates the limits.
        _ = try ConnectionPool(
            configuration: .demo(maxSize: maxSize, burstLimit: burstLimit),
            open: { () },
            isClosed: { _ in false },
            close: { _ in }
        )
        guard (1...largestTasks).contains(tasks) else {
            throw DemoFailure("--tasks is \(tasks), but must be from 1 to \(largestTasks).")
        }
        guard !picturePath.isEmpty else { throw DemoFailure("--svg is empty, but must be the path of a file.") }
        self.tasks = tasks
        self.seconds = seconds
        self.maxSize = maxSize
        self.burstLimit = burstLimit
        self.chaos = chaos
        self.server = server
        self.picturePath = picturePath
        self.seed = seed ?? .random(in: 1...999_999)
    }

    var pool: ConnectionPoolConfiguration { .demo(maxSize: maxSize, burstLimit: burstLimit) }
}

extension ConnectionPoolConfiguration {
    /// The recommended configuration, with a burst limit even if it equals `maxSize`.
    fileprivate static func demo(maxSize: Int, burstLimit: Int) -> ConnectionPoolConfiguration {
        var configuration = recommended(maxSize: maxSize, burstLimit: burstLimit)
        configuration.name = "demo"
        return configuration
    }
}

extension Int {
    fileprivate func multipliedSaturating(by factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
