/// What a counter may stand at, as far as the only task that increments it can know.
///
/// An increment whose reply got lost with its connection may or may not have happened.
struct UncertainCounter: Sendable, Equatable {
    private(set) var range = 0...0

    /// Increments are about to be sent.
    mutating func willIncrement(by count: Int = 1) {
        range = range.lowerBound...(range.upperBound + count)
    }

    /// An increment has been answered.
    ///
    /// - Parameter pending: How many more were sent with it and are answered after it.
    /// - Returns: Whether that answer is possible.
    mutating func answered(_ value: Int, pending: Int = 0) -> Bool {
        guard value > range.lowerBound, value <= range.upperBound - pending else { return false }
        range = value...(value + pending)
        return true
    }

    /// The counter has been read, and no increment is under way.
    ///
    /// - Parameter value: `nil` if there is no such counter, which is the same as 0.
    /// - Returns: Whether that value is possible.
    mutating func read(_ value: Int?) -> Bool {
        let value = value ?? 0
        guard range.contains(value) else { return false }
        range = value...value
        return true
    }
}
