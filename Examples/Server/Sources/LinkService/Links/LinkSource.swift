// SPDX-License-Identifier: Apache-2.0

/// A database from which links are read, and its pool, whatever kind of pool that is.
protocol LinkSource: Sendable {
    associatedtype Pool: DatabasePool

    var name: String { get }
    var pool: Pool { get }
    var reachability: Reachability { get }
    var latencies: AcquireLatencies { get }

    /// Returns a link without counting a use, or `nil` if there is no such link.
    func find(_ code: LinkCode) async throws -> Link?

    /// Checks whether the database answers and is ready to store links.
    ///
    /// - Throws: The errors of ``Database/use(_:)``.
    func check() async throws
}
