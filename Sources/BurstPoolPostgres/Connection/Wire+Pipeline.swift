// SPDX-License-Identifier: Apache-2.0

import CLibPQ

extension Wire {
    /// Notes what is sent in a pipeline, in order to know what to receive.
    struct PipelineBuilder {
        fileprivate enum Step { case statement, sync }
        fileprivate let connection: OpaquePointer
        fileprivate var steps: [Step] = []
        fileprivate var isRejected = false

        /// Adds what a call of libpq has sent, given its result.
        mutating func add(_ result: Int32) {
            if result != 0 { steps.append(.statement) } else { isRejected = true }
        }

        /// Ends an implicit transaction. An error skips the statements up to here.
        mutating func sync() {
            if PQpipelineSync(connection) != 0 { steps.append(.sync) } else { isRejected = true }
        }
    }

    /// Sends several statements in one go and receives all their results.
    ///
    /// - Returns: The result or the error of each statement. A statement that the server skipped has the error because of
    ///   which it did.
    /// - Throws: If the connection is lost.
    func pipeline(_ send: (inout PipelineBuilder) -> Void) async throws -> [Result<QueryResult, PostgresError>] {
        guard PQenterPipelineMode(connection) != 0 else { throw rejected() }
        var builder = PipelineBuilder(connection: connection)
        send(&builder)
        let rejection = builder.isRejected ? rejected() : nil
        builder.sync()
        try await flush()

        var outcomes: [Result<QueryResult, PostgresError>] = []
        var failure: PostgresError?
        for step in builder.steps {
            switch step {
            case .statement:
                let outcome = try await outcomeOfStatement(after: &failure)
                outcomes.append(outcome)
            case .sync:
                guard let result = try await nextResult() else { throw lost() }
                guard result.status == PGRES_PIPELINE_SYNC else { throw error(result) }
                failure = nil
            }
        }
        while try await nextResult() != nil {}
        guard PQexitPipelineMode(connection) != 0 else { throw rejected() }
        if let rejection { throw rejection }
        return outcomes
    }

    private func outcomeOfStatement(after failure: inout PostgresError?) async throws -> Result<
        QueryResult, PostgresError
    > {
        var outcome: Result<QueryResult, PostgresError>?
        while let result = try await nextResult() {
            switch result.status {
            case PGRES_FATAL_ERROR, PGRES_BAD_RESPONSE:
                let reason = error(result)
                guard isOpen else { throw reason }
                failure = failure ?? reason
                outcome = .failure(reason)
            case PGRES_PIPELINE_ABORTED:
                outcome = .failure(failure ?? error(result))
            case PGRES_COPY_IN, PGRES_COPY_OUT, PGRES_COPY_BOTH:
                // libpq has no way out of COPY within a pipeline.
                watch.sever()
                throw PostgresError(
                    .unexpectedStatement,
                    "COPY cannot be part of a pipeline. The connection has been closed.",
                    server: serverDescription
                )
            default: outcome = .success(result)
            }
        }
        guard let outcome else { throw lost() }
        return outcome
    }
}
