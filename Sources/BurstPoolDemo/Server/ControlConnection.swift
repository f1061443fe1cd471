// SPDX-License-Identifier: Apache-2.0

/// A connection outside the pool, for statements about the pool's connections and about the values of all tasks.
protocol ControlConnection: Sendable {
    /// Prepares the server for the values of the tasks.
    func prepare() async throws

    /// Returns the ids of the pool's connections.
    func poolConnections() async throws -> [Int]

    /// Kills a connection of the pool, and returns whether it existed.
    func kill(_ id: Int) async throws -> Bool

    /// Returns the values that the server has for a task.
    func values(ofTask task: Int) async throws -> StoredValues

    /// Removes the values of all tasks, and what ``prepare()`` has created.
    ///
    /// - Parameter tasks: The number of tasks.
    func removeValues(ofTasks tasks: Int) async throws

    func close() async
}
