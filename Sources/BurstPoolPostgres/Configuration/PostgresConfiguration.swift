// SPDX-License-Identifier: Apache-2.0

/// Which server to connect to, as whom, and with which limits.
///
/// ```swift
/// var configuration = try PostgresConfiguration(url: "postgresql://app:secret@db.internal/app?sslmode=verify-full")
/// configuration.queryTimeout = .seconds(30)
/// let strategy = try PostgresConnectionStrategy(configuration: configuration)
/// ```
///
/// libpq opens the connections, so whatever libpq knows works here: several hosts with `target_session_attrs`, service
/// files, password files, client certificates, Kerberos, and the environment variables such as `PGHOST` for what is not
/// given. See [the parameters](https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-PARAMKEYWORDS).
public struct PostgresConfiguration: Sendable {
    /// The connection parameters of libpq, by their names: `host`, `port`, `dbname`, `user`, `password`, `sslmode`, ….
    ///
    /// The client encoding is always UTF-8. Unless given, `keepalives_idle` is 30, `keepalives_interval` 10,
    /// `keepalives_count` 3 and `tcp_user_timeout` 30000, so that a server that has vanished is noticed within a minute.
    public var parameters: [String: String]

    /// The name of the connections in `pg_stat_activity`, unless ``parameters`` has an `application_name`. A good choice is
    /// the name of the pool. Default: `nil`, no name.
    public var applicationName: String?

    /// How long connecting to one host may take, authentication included. With several hosts, each has this time.
    /// Default: 5 seconds, or what `connect_timeout` in the URL says.
    public var connectTimeout: Duration = .seconds(5)

    /// How long a statement may take until its last row has arrived, in steps of 50 ms. After that it is cancelled at the
    /// server, and the call fails with ``PostgresError/Code/queryTimedOut``. Default: `nil`, no limit.
    ///
    /// It does not apply to rows that are read as a sequence, to `COPY`, and to notifications. The server's own
    /// `statement_timeout` can be set in addition: `options=-c statement_timeout=30s`.
    public var queryTimeout: Duration?

    /// How long to wait for the server's answer after a statement has been cancelled, and for a rollback. After that the
    /// connection is closed. Default: 5 seconds.
    public var cancellationTimeout: Duration = .seconds(5)

    /// How many prepared statements a connection keeps. The statement that was used the longest time ago is dropped.
    /// Default: 256. With 0 each statement is prepared anew, which suits a proxy that does not know prepared statements.
    public var statementCacheCapacity = 256

    /// What ``PostgresConnectionStrategy/resetConnection(_:)`` undoes. Default: ``PostgresReset/keepingStatements``.
    public var reset = PostgresReset.keepingStatements

    /// Provides the user and the password for a connection attempt, in place of those in ``parameters``. Default: `nil`.
    public var credentials: PostgresCredentialsProvider?

    /// Receives the notices and warnings of the server, in the task or thread that happens to read them. It must not
    /// block. Default: `nil`, they are ignored.
    public var onNotice: (@Sendable (PostgresNotice) -> Void)?

    /// Receives a report of each statement after its execution, in the caller's task. It must not block. Default: `nil`, and
    /// then it costs nothing.
    ///
    /// `BurstPoolObservability` makes metrics and spans of the reports. Statements that the connection executes by itself,
    /// such as `BEGIN` and `COMMIT` of a transaction, are not reported.
    public var onExecution: (@Sendable (PostgresExecution) -> Void)?

    /// A server that is given by libpq's connection parameters.
    public init(parameters: [String: String] = [:]) {
        self.parameters = parameters
    }

    /// A server that listens on a TCP port, or on a unix socket if `host` is the path of the socket's folder.
    public init(
        host: String,
        port: Int = 5432,
        user: String,
        password: String? = nil,
        database: String? = nil
    ) {
        parameters = ["host": host, "port": String(port), "user": user]
        parameters["password"] = password
        parameters["dbname"] = database
    }

    /// A server that is given by a URL such as `postgresql://user:password@host:5432/database?sslmode=verify-full`, or by
    /// libpq's other form, `host=… dbname=…`.
    ///
    /// - Throws: ``PostgresError/Code/invalidURL``. Its message never contains the password.
    public init(url: String) throws {
        parameters = try ConnectionString.parse(url)
        // A slash in a password ends the host, and the beginning of the password becomes the port. libpq would quote it
        // when it connects.
        let ports = (parameters["port"] ?? "").split(separator: ",")
        guard ports.allSatisfy({ (1...65_535).contains(Int($0.filter { $0 != " " }) ?? 0) }) else {
            throw PostgresError(
                .invalidURL,
                "The port in the connection string is not a number from 1 to 65535. In a password, write \"/\" as %2F."
            )
        }
        if let timeout = parameters.removeValue(forKey: "connect_timeout") {
            guard let seconds = Int(timeout) else {
                throw PostgresError(.invalidURL, "The connect_timeout in the URL is not a whole number of seconds.")
            }
            // As for libpq, zero and less mean no limit; an hour is as good as none.
            connectTimeout = seconds > 0 ? .seconds(seconds) : .seconds(3600)
        }
    }

    /// The hosts and the database, for messages. Without the password.
    var serverDescription: String {
        let host = parameters["host"] ?? parameters["hostaddr"] ?? "default host"
        let port = parameters["port"].map { ":\($0)" } ?? ""
        return "\(host)\(port)\(parameters["dbname"].map { ", database \"\($0)\"" } ?? "")"
    }

    func validate() throws {
        func require(_ condition: Bool, _ message: @autoclosure () -> String) throws {
            if !condition { throw PostgresError(.invalidConfiguration, message()) }
        }
        try require(connectTimeout > .zero, "connectTimeout is \(connectTimeout) and must be more than zero.")
        try require(
            cancellationTimeout > .zero,
            "cancellationTimeout is \(cancellationTimeout) and must be more than zero."
        )
        if let queryTimeout {
            try require(queryTimeout > .zero, "queryTimeout is \(queryTimeout) and must be more than zero, or nil.")
        }
        try require(
            statementCacheCapacity >= 0,
            "statementCacheCapacity is \(statementCacheCapacity) and must not be negative."
        )
        for (name, value) in parameters where name.utf8.contains(0) || value.utf8.contains(0) {
            throw PostgresError(.invalidConfiguration, "A connection parameter contains a zero byte.")
        }
        let known = ConnectionString.knownParameters
        for name in parameters.keys.sorted() {
            try require(known.contains(name), "libpq has no connection parameter \"\(name)\".")
        }
    }
}

/// What is undone when a connection is reset for the next caller.
public struct PostgresReset: Sendable, Hashable {
    private enum Base { case all, keepingStatements }
    private let base: Base

    /// All that `DISCARD ALL` undoes. Prepared statements are lost and are prepared again when they are used next.
    public static let all = PostgresReset(base: .all)
    /// All that `DISCARD ALL` undoes, except that prepared statements and cached plans are kept.
    public static let keepingStatements = PostgresReset(base: .keepingStatements)

    var sql: String {
        switch base {
        case .all: "DISCARD ALL"
        case .keepingStatements:
            """
            CLOSE ALL; SET SESSION AUTHORIZATION DEFAULT; RESET ALL; UNLISTEN *; \
            SELECT pg_advisory_unlock_all(); DISCARD SEQUENCES; DISCARD TEMP
            """
        }
    }
}

extension PostgresConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The server, the user and the database, without the password.
    public var description: String {
        serverDescription + (parameters["user"].map { ", user \"\($0)\"" } ?? "")
    }

    public var debugDescription: String { description }

    /// Keeps the password out of `dump` and of test reports.
    public var customMirror: Mirror { Mirror(self, children: ["configuration": description]) }
}
