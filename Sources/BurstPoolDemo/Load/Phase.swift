// SPDX-License-Identifier: Apache-2.0

/// A phase of the load.
enum Phase: Int, CaseIterable, Codable {
    /// Fewer tasks than connections in the pool.
    case steady
    /// All tasks, which are far more than the largest number of connections.
    case spike
    /// A few tasks with long pauses.
    case calm

    var name: String { "\(self)" }
}
