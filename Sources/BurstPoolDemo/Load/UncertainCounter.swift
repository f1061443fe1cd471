// SPDX-License-Identifier: Apache-2.0

/// The possible values of a counter, as known to the only task that increments it.
///
/// An increment whose reply was lost with its connection may or may not have happened.
struct UncertainCounter: Sendable, Equatable {
    private(set) var range = 0...0

    /// Notes that increments will be sent.
    mutating func willIncrement(by count: Int = 1) {
        range = range.lowerBound...(range.upperBound + count)
    }

    /// Notes the reply to an increment, and returns whether the reply is possible.
    ///
    /// - Parameter pending: The number of increments that were sent with it and are answered after it.
    mutating func answered(_ value: Int, pending: Int = 0) -> Bool {
        guard value > range.lowerBound, value <= range.upperBound - pending else { return false }
        range = value...(value + pending)
        return true
    }

    /// Notes the value that was read while no increment was in progress, and returns whether it is possible.
    ///
    /// - Parameter value: The value, or `nil` if the counter does not exist, which is the same as 0.
    mutating func read(_ value: Int?) -> Bool {
        let value = value ?? 0
        guard range.contains(value) else { return false }
        range = value...value
        return true
    }
}
