// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A variable that several tasks of a test share.
final class Box<Value: Sendable>: Sendable {
    private let storage: Mutex<Value>

    init(_ value: Value) {
        storage = Mutex(value)
    }

    var value: Value {
        get { storage.withLock { $0 } }
        set { storage.withLock { $0 = newValue } }
    }

    func change(_ body: (inout Value) -> Void) {
        storage.withLock { body(&$0) }
    }
}
