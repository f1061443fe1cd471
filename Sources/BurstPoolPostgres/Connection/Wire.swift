// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// Sends statements with libpq and waits for results, without blocking the thread.
///
/// One task uses a wire at a time, between ``begin(timeout:)`` and ``end()``. All calls of libpq happen in that task.
final class Wire {
    let connection: OpaquePointer
    let watch: SocketWatch
    let canceller: Canceller
    let cancellationTimeout: Duration
    private let notices: NoticeReceiver
    private let isEncrypted: Bool

    private(set) var isBusy = false
    /// Whether the task's cancellation does not cancel the statement at the server, as for a rollback.
    private var isShielded = false
    private var hasTimedOut = false
    private var hasLimit = false
    /// Whether results of libpq cannot be trusted any more.
    private var isOutOfStep = false
    /// There may be bytes in the socket that have been reported and not read.
    private var mayHaveUnread = false
    private(set) var isFinished = false
    /// Whether the caller has started a read-only transaction.
    var isInReadOnlyTransaction = false

    init(_ opened: OpenedConnection, configuration: PostgresConfiguration) throws {
        connection = opened.pointer
        do {
            canceller = try Canceller(connection)
            watch = try SocketWatch(socket: PQsocket(connection), reactor: try Reactor.next())
        } catch {
            PQfinish(opened.pointer)
            throw error
        }
        cancellationTimeout = configuration.cancellationTimeout
        notices = NoticeReceiver(configuration.onNotice)
        isEncrypted = PQsslInUse(connection) != 0 || PQgssEncInUse(connection) != 0
        PQsetnonblocking(connection, 1)
        notices.attach(to: connection)
    }

    deinit { finish() }

    /// Closes the connection. Idempotent.
    func finish() {
        if isFinished { return }
        isFinished = true
        watch.end()
        PQfinish(connection)
    }

    var isOpen: Bool { !isFinished && !watch.isClosed && PQstatus(connection) == CONNECTION_OK }

    /// Whether a transaction is open. Unknown for a closed connection.
    var transactionStatus: PGTransactionStatusType { isFinished ? PQTRANS_UNKNOWN : PQtransactionStatus(connection) }

    /// The host, the port and the database.
    var serverDescription: String {
        if isFinished { return "closed connection" }
        func text(_ pointer: UnsafePointer<CChar>?) -> String { pointer.map { String(cString: $0) } ?? "?" }
        return "\(text(PQhost(connection))):\(text(PQport(connection))), database \"\(text(PQdb(connection)))\""
    }

    // MARK: - Use by one statement at a time

    /// Starts the use of the wire.
    ///
    /// - Parameters:
    ///   - timeout: After this time the statement is cancelled; if it is shielded, the connection is closed.
    ///   - shielded: Whether to go on when the task is cancelled.
    func begin(timeout: Duration? = nil, shielded: Bool = false) throws {
        guard !isBusy else {
            throw PostgresError(
                .connectionBusy,
                "Another statement is in progress on this connection. A connection executes one statement at a time.",
                server: serverDescription
            )
        }
        guard !isFinished else {
            throw PostgresError(.connectionClosed, "The connection has been closed.")
        }
        if watch.isClosed {
            // The server may have said why.
            PQconsumeInput(connection)
            _ = PQisBusy(connection)
            throw lost()
        }
        if !shielded { try Task.checkCancellation() }
        isBusy = true
        // Nothing that belongs to the statement can have arrived, and its response will be reported.
        mayHaveUnread = false
        isShielded = shielded
        hasTimedOut = false
        canceller.arm()
        if let timeout { limitWaits(to: timeout) }
    }

    /// Ends the use. If the statement has been cancelled, waits until the request can no longer affect the next one.
    ///
    /// - Returns: What cancelled the statement, if its timeout or its task did. A sequence that was not read to its end
    ///   cancels its statement too, which is not an interruption.
    func end() async -> Interruption? {
        if hasLimit {
            hasLimit = false
            watch.limitWaits(until: nil)
        }
        defer { isBusy = false }
        guard await canceller.disarm(timeout: cancellationTimeout, ifStuck: watch.sever) else { return nil }
        await synchronize()
        if hasTimedOut { return .timeout }
        return Task.isCancelled ? .cancellation : nil
    }

    enum Interruption { case timeout, cancellation }

    /// Goes on from here when the task is cancelled, for up to the cancellation timeout.
    func shieldFromCancellation() {
        isShielded = true
        limitWaits(to: cancellationTimeout)
    }

    /// Asks the server to cancel the statement in progress.
    func cancelStatement() {
        if canceller.cancel() { limitWaits(to: cancellationTimeout) }
    }

    private func limitWaits(to timeout: Duration) {
        hasLimit = true
        watch.limitWaits(until: .now + timeout)
    }

    /// A cancel request that arrived late would hit the next statement. An empty statement takes its place, and the
    /// server forgets requests that arrive between two statements.
    private func synchronize() async {
        guard isOpen, PQpipelineStatus(connection) == PQ_PIPELINE_OFF else { return watch.sever() }
        isShielded = true
        limitWaits(to: cancellationTimeout)
        defer {
            hasLimit = false
            watch.limitWaits(until: nil)
        }
        guard PQsendQuery(connection, "") != 0 else { return watch.sever() }
        do {
            while try await nextResult() != nil {}
        } catch {
            watch.sever()
        }
    }

    // MARK: - Sending and receiving

    /// Sends what libpq could not send at once.
    func flush() async throws {
        while true {
            switch PQflush(connection) {
            case 0:
                watch.setReportsWrites(false)
                return
            case 1:
                // The server may be waiting for us to read before it reads on.
                watch.setReportsWrites(true)
                if PQflush(connection) == 0 { continue }
                try await wait()
                mayHaveUnread = true
                guard consume() else { return }
            default: throw lost()
            }
        }
    }

    /// Returns the next result of the statement in progress; `nil` at its end.
    func nextResult() async throws -> QueryResult? {
        // libpq 14 stays busy with a connection that it has given up.
        while !isOutOfStep, PQisBusy(connection) != 0, PQstatus(connection) == CONNECTION_OK {
            try await receive()
        }
        return takeResult()
    }

    /// The next result, if it has arrived already.
    var arrivedResult: QueryResult?? {
        isOutOfStep || PQisBusy(connection) == 0 ? .some(takeResult()) : nil
    }

    /// Takes a result from libpq.
    ///
    /// An error without a SQLSTATE is libpq's own, for example because the server sent something that is not the protocol.
    /// libpq does not skip that: it would return the same error again and again, or take the rest of the rows for those of
    /// the next statement. So the connection is severed, and there is no further result.
    private func takeResult() -> QueryResult? {
        if isOutOfStep { return nil }
        guard let result = PQgetResult(connection).map({ QueryResult($0) }) else { return nil }
        if result.status == PGRES_FATAL_ERROR || result.status == PGRES_BAD_RESPONSE,
            result.errorReport.sqlState == nil
        {
            sever()
        }
        return result
    }

    /// Ends the conversation, because libpq and the server no longer agree on what comes next.
    func sever() {
        isOutOfStep = true
        watch.sever()
    }

    /// Waits for bytes and hands them to libpq.
    func receive() async throws {
        if mayHaveUnread {
            mayHaveUnread = clibpq_is_readable(PQsocket(connection)) != 0
            if isEncrypted, !mayHaveUnread {
                // The library that decrypts may hold bytes that libpq did not take; libpq takes at least half of the
                // largest possible record at a time.
                for _ in 0..<3 where PQisBusy(connection) != 0 { guard consume() else { return } }
                if PQisBusy(connection) == 0 { return }
                mayHaveUnread = clibpq_is_readable(PQsocket(connection)) != 0
            }
        }
        if !mayHaveUnread { try await wait() }
        mayHaveUnread = true
        _ = consume()
    }

    /// Returns whether the connection still works. If it does not, libpq has a result that says so.
    private func consume() -> Bool {
        PQconsumeInput(connection) != 0
    }

    /// Waits until the socket is ready. The task's cancellation, or the timeout, cancels the statement; the wait goes on.
    private func wait() async throws {
        while true {
            let wake: SocketWatch.Wake
            if isShielded {
                wake = await watch.wait()
            } else {
                wake = await withTaskCancellationHandler {
                    await watch.wait()
                } onCancel: { [canceller, watch, cancellationTimeout] in
                    if canceller.cancel() { watch.limitWaits(until: .now + cancellationTimeout) }
                }
            }
            switch wake {
            case .ready: return
            case .timedOut:
                hasLimit = true
                if !isShielded, !canceller.isCancelled {
                    hasTimedOut = true
                    cancelStatement()
                    continue
                }
                watch.sever()
                throw PostgresError(
                    .connectionClosed,
                    "The server did not answer within \(cancellationTimeout). The connection has been closed.",
                    server: serverDescription
                )
            }
        }
    }

    /// Waits for bytes while no statement is in progress, and hands them to libpq. Returns early when the task is cancelled.
    func receiveWhileIdle() async throws {
        guard isOpen else { throw lost() }
        _ = await withTaskCancellationHandler {
            await watch.wait()
        } onCancel: { [watch] in
            watch.signal(isClosed: false)
        }
        // What is not read now is reported again only when more arrives.
        repeat {
            guard consume() else { throw lost() }
        } while clibpq_is_readable(PQsocket(connection)) != 0
    }

    // MARK: - Errors

    /// The error for a connection that is lost, in libpq's words.
    func lost() -> PostgresError {
        let text = isFinished ? "" : String(cString: PQerrorMessage(connection))
        let reason = text.split(separator: "\n").map { $0.drop { $0 == "\t" } }.joined(separator: " ")
        return PostgresError(
            .connectionClosed,
            "The connection is lost: \(notices.farewell?.message ?? (reason.isEmpty ? "it was closed" : reason))",
            report: notices.farewell ?? PostgresError.Report(),
            server: serverDescription
        )
    }

    /// The error for a call that libpq rejected without sending anything.
    func rejected() -> PostgresError {
        guard isOpen else { return lost() }
        let text = String(cString: PQerrorMessage(connection)).split(separator: "\n").joined(separator: " ")
        return PostgresError(.protocolError, "libpq rejected the call: \(text)", server: serverDescription)
    }

    /// The error that a result reports.
    func error(_ result: QueryResult) -> PostgresError {
        var report = result.errorReport
        report.isInReadOnlyTransaction = isInReadOnlyTransaction
        guard report.sqlState != nil else { return lost() }
        return PostgresError(
            .serverError,
            report.message ?? "unknown error",
            report: report,
            server: serverDescription
        )
    }
}
