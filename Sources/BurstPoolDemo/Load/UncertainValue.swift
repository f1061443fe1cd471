/// What a key may hold, as far as the only task that writes it can know.
///
/// A write whose reply got lost with its connection may or may not have happened: until the key is read again, both values
/// are right.
struct UncertainValue: Sendable, Equatable {
    typealias Bytes = [UInt8]

    /// What the key may hold; `nil`: nothing. Never empty.
    private(set) var candidates: [Bytes?] = [nil]

    /// Whether the key certainly exists.
    var exists: Bool { !candidates.contains(nil) }

    /// A write is about to be sent.
    mutating func willBecome(_ value: Bytes) {
        if !candidates.contains(value) { candidates.append(value) }
    }

    /// A write has been confirmed.
    mutating func became(_ value: Bytes) {
        candidates = [value]
    }

    /// The key has been read, and no write is under way.
    ///
    /// - Returns: Whether that value is possible.
    mutating func read(_ value: Bytes?) -> Bool {
        guard candidates.contains(value) else { return false }
        candidates = [value]
        return true
    }
}
