// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// The errors that were found.
final class Findings: Sendable {
    private let found = Mutex<[String]>([])
    private let isAny = Atomic<Bool>(false)

    /// Costs one load.
    var hasAny: Bool { isAny.load(ordering: .acquiring) }

    var all: [String] { found.withLock { $0 } }

    func add(_ finding: String) {
        // One fault can show in many ways. The first findings say most about it.
        found.withLock { if $0.count < 20 { $0.append(finding) } }
        isAny.store(true, ordering: .releasing)
    }

    /// Says what an error that nothing explains means.
    static func describe(_ error: any Error) -> String {
        (error as? Visit.WrongReply).map { "a wrong reply: \($0.description)" } ?? "an error: \(error)"
    }
}
