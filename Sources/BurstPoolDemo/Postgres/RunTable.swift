// SPDX-License-Identifier: Apache-2.0

/// The table of a run, with a row for each task, and the statements on it.
///
/// The parameter `$1` is the number of the task, except in ``echo`` and ``slowEcho``.
struct RunTable: Sendable {
    /// The name, without quotation marks.
    let name: String

    init(of run: RunName) {
        name = run.identifier
    }

    /// Creates the table. It is unlogged, because its content is worthless after the run.
    var create: String {
        """
        CREATE UNLOGGED TABLE \(name) \
        (task integer PRIMARY KEY, text text, blob bytea, counter bigint NOT NULL DEFAULT 0)
        """
    }

    var drop: String { "DROP TABLE \(name)" }

    /// Returns the text `$1`.
    let echo = "SELECT $1::text"

    /// Returns the text `$1` after a millisecond.
    let slowEcho = "SELECT $1::text FROM pg_sleep(0.001)"

    var all: String { "SELECT text, blob, counter FROM \(name) WHERE task = $1" }

    var readText: String { "SELECT text FROM \(name) WHERE task = $1" }

    var textLength: String { "SELECT octet_length(text) FROM \(name) WHERE task = $1" }

    var readBlob: String { "SELECT blob FROM \(name) WHERE task = $1" }

    var writeText: String {
        "INSERT INTO \(name) (task, text) VALUES ($1, $2) ON CONFLICT (task) DO UPDATE SET text = EXCLUDED.text"
    }

    var writeBlob: String {
        "INSERT INTO \(name) (task, blob) VALUES ($1, $2) ON CONFLICT (task) DO UPDATE SET blob = EXCLUDED.blob"
    }

    /// Increments the counter, and returns it.
    var increment: String {
        """
        INSERT INTO \(name) AS mine (task, counter) VALUES ($1, 1) \
        ON CONFLICT (task) DO UPDATE SET counter = mine.counter + 1 RETURNING counter
        """
    }

    /// Writes the text, and returns the previous one. The inner query does not see what its own statement has written.
    var exchange: String { "\(writeText) RETURNING (\(readText))" }

    /// Fails if the task has a row.
    var insert: String { "INSERT INTO \(name) (task) VALUES ($1)" }
}
