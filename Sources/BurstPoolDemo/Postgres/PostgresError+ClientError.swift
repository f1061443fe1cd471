// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres

extension PostgresError: ClientError {
    var kind: String { "PostgresError.\(code)" + (sqlState.map { " \($0)" } ?? "") }

    var line: String { "PostgresError.\(code): \(self)" }
}
