// SPDX-License-Identifier: Apache-2.0

import BurstPool
import CSQLite

final class SQLiteStrategy: ConnectionStrategy {
    let path: String

    init(path: String) {
        self.path = path
    }

    func makeConnection() async throws -> sending SQLiteConnection {
        try await SQLiteConnection.open(path)
    }

    /// A file does not hang up. But a transaction that a caller has left open would block all other writers.
    func connectionIsClosed(_ connection: SQLiteConnection) -> Bool {
        connection.database.isClosed || connection.database.isInTransaction
    }

    func closeConnection(_ connection: sending SQLiteConnection) async {
        await connection.close()
    }

    func connectErrorIsPermanent(_ error: any Error) -> Bool {
        guard let error = error as? SQLiteError else { return false }
        return [SQLITE_CANTOPEN, SQLITE_NOTADB, SQLITE_PERM, SQLITE_READONLY].contains(error.primaryCode)
    }

    func connectionVerdict(after error: any Error) -> ConnectionVerdict {
        switch (error as? SQLiteError)?.primaryCode {
        case SQLITE_CORRUPT, SQLITE_NOTADB, SQLITE_IOERR, SQLITE_MISUSE: .discard
        default: .keep
        }
    }

    func abortHandle(for connection: SQLiteConnection) -> (@Sendable () -> Void)? {
        { [database = connection.database] in database.interrupt() }
    }
}
