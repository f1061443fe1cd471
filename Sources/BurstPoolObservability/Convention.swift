// SPDX-License-Identifier: Apache-2.0

/// Names from OpenTelemetry's semantic conventions for database clients.
enum Convention {
    static let prefix = "db.client.connection."
    static let poolName = "db.client.connection.pool.name"
    static let operationDuration = "db.client.operation.duration"
    static let serverPort = "server.port"
    /// The package's own: the conventions know no groups of pools.
    static let key = "connection_pool.key"
    static let state = "db.client.connection.state"
}
