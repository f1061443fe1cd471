// SPDX-License-Identifier: Apache-2.0

/// Why a load, a policy or a recorded workload cannot be simulated.
public struct SizingError: Error, Hashable, CustomStringConvertible {
    /// The kind of the error. Later versions can add cases, so a `switch` needs an `@unknown default`.
    @nonexhaustive
    public enum Code: String, Sendable, Hashable {
        /// A value of a ``PoolLoad`` is out of range.
        case invalidLoad
        /// A value of a ``PoolPolicy`` is out of range, or two of them contradict each other.
        case invalidPolicy
        /// A ``SizingGoal`` or the number of callers of a simulation is out of range.
        case invalidGoal
        /// A recorded workload has no acquisitions, uses or connects to simulate.
        case incompleteWorkload
    }

    /// The kind of the error.
    public let code: Code
    /// A sentence that names the value and says what to do.
    public let description: String

    init(_ code: Code, _ description: String) {
        self.code = code
        self.description = description
    }
}
