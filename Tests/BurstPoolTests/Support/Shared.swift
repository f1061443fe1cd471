// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A value that several tasks of a test share.
final class Shared<Value: Sendable>: Sendable {
    private let mutex: Mutex<Value>

    init(_ value: Value) {
        mutex = Mutex(value)
    }

    var value: Value { mutex.withLock { $0 } }

    func change<Result: Sendable>(_ body: (inout Value) -> Result) -> Result {
        mutex.withLock { value -> Result in body(&value) }
    }

    func set(_ new: Value) {
        mutex.withLock { $0 = new }
    }
}

extension Shared where Value == Int {
    /// Increments the value, and returns the previous one.
    @discardableResult
    func countUp() -> Int {
        change { value in
            defer { value += 1 }
            return value
        }
    }
}
