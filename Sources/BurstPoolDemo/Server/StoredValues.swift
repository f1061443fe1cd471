// SPDX-License-Identifier: Apache-2.0

/// The values that the server has for one task. `nil` means that a value does not exist.
struct StoredValues: Sendable, Equatable {
    var text: [UInt8]?
    var blob: [UInt8]?
    var counter: Int?
}
