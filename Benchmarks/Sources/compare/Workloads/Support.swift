// SPDX-License-Identifier: Apache-2.0

/// An unexpected outcome, which makes the measurement useless.
struct UnexpectedOutcome: Error, CustomStringConvertible {
    var description: String
}

func expect(_ condition: Bool, _ what: String = "a call of the C API failed") throws {
    if !condition { throw UnexpectedOutcome(description: what) }
}

/// A pointer that any thread may use.
struct Pointer: @unchecked Sendable {
    let value: OpaquePointer

    init(_ value: OpaquePointer?) {
        guard let value else { fatalError("no memory") }
        self.value = value
    }
}
