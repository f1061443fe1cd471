// SPDX-License-Identifier: Apache-2.0

/// A call of the strategy that has exceeded its time limit and still uses a connection.
///
/// The connection has left its slot. The task that closes it waits here until the strategy returns it.
final class OverdueCall<Connection>: Sendable {
    private let returned = OneShot()
    /// Written before ``returned`` fires, and read after, by the one task that closes the connection.
    nonisolated(unsafe) private var content: Connection?

    /// Gives the connection to the task that closes it.
    func end(_ connection: sending Connection) {
        content = connection
        returned.fire(.done)
    }

    /// Waits until the strategy has returned the connection.
    func connection() async -> sending Connection {
        _ = await returned.wait()
        nonisolated(unsafe) let connection = content.unsafelyUnwrapped
        content = nil
        return connection
    }
}
