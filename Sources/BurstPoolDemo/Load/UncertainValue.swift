// SPDX-License-Identifier: Apache-2.0

/// The possible values of a key, as known to the only task that writes it.
///
/// A write whose reply was lost with its connection may or may not have happened. Until the key is read again, both values are
/// possible.
struct UncertainValue: Sendable, Equatable {
    typealias Bytes = [UInt8]

    /// The possible values, where `nil` means that the key does not exist. Never empty.
    private(set) var candidates: [Bytes?] = [nil]

    /// Whether the key certainly exists.
    var exists: Bool { !candidates.contains(nil) }

    /// Notes that a write will be sent.
    mutating func willBecome(_ value: Bytes) {
        if !candidates.contains(value) { candidates.append(value) }
    }

    /// Notes that a write was confirmed.
    mutating func became(_ value: Bytes) {
        candidates = [value]
    }

    /// Notes the value that was read while no write was in progress, and returns whether it is possible.
    mutating func read(_ value: Bytes?) -> Bool {
        guard candidates.contains(value) else { return false }
        candidates = [value]
        return true
    }
}
