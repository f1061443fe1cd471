// SPDX-License-Identifier: Apache-2.0

import BurstPool

/// Not `Sendable`, like most connections.
final class PooledClass {
    var uses = 0
    var next: PooledClass?
}

final class ClassStrategy: ConnectionStrategy {
    func makeConnection() async throws -> sending PooledClass { PooledClass() }
    func connectionIsClosed(_ connection: PooledClass) -> Bool { connection.uses < 0 }
    func closeConnection(_ connection: sending PooledClass) async throws {}
}

struct PooledStruct {
    var uses = 0
    var name = "a name on the heap, which is never copied"
}

final class StructStrategy: ConnectionStrategy {
    func makeConnection() async throws -> sending PooledStruct { PooledStruct() }
    func connectionIsClosed(_ connection: PooledStruct) -> Bool { connection.uses < 0 }
    func closeConnection(_ connection: sending PooledStruct) async throws {}
}
