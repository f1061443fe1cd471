// SPDX-License-Identifier: Apache-2.0

#if Postgres
    public import BurstPoolPostgres
    import CoreMetrics
    import Synchronization
    import Tracing

    /// Makes a span and a metric of each statement that a connection to PostgreSQL executes.
    ///
    /// ```swift
    /// var configuration = try PostgresConfiguration(url: url)
    /// configuration.onExecution = PostgresQueryTelemetry().record
    /// let strategy = try PostgresConnectionStrategy(configuration: configuration)
    /// ```
    ///
    /// The names are those of OpenTelemetry's semantic conventions for database clients: a span of kind `client`, named after
    /// the operation and the database, such as `SELECT shop`, and the timer `db.client.operation.duration`. The span is a
    /// child of the caller's span. The text of a statement is an attribute of the span; its parameters are not.
    ///
    /// Available with the trait `Postgres`.
    public final class PostgresQueryTelemetry: Sendable {
        private let tracer: (any Tracer)?
        private let factory: (any MetricsFactory)?
        private let dimensions: [(String, String)]
        private let recordsQueryText: Bool
        private let timers = Mutex<[QueryLabels: Timer]>([:])

        /// Creates telemetry for any number of connections and pools.
        ///
        /// - Parameters:
        ///   - configuration: Where metrics and spans are sent, and further dimensions of the metric. Default: the systems
        ///     that were bootstrapped.
        ///   - recordsQueryText: Whether spans have the text of the statement, `db.query.text`. Turn it off if statements
        ///     contain values that must not be stored. Default: `true`.
        public init(
            configuration: ConnectionPoolTelemetryConfiguration = ConnectionPoolTelemetryConfiguration(),
            recordsQueryText: Bool = true
        ) {
            tracer = configuration.tracer is NoOpTracer ? nil : configuration.tracer
            factory = configuration.metricsFactory
            dimensions = configuration.dimensions
            self.recordsQueryText = recordsQueryText
        }

        /// Records a statement. To be called in the task that executed it, as `PostgresConfiguration.onExecution` is.
        public func record(_ execution: PostgresExecution) {
            let labels = QueryLabels(execution)
            if let factory { timer(labels, factory).recordNanoseconds(execution.duration.nanoseconds) }
            if let tracer { makeSpan(execution, labels, tracer) }
        }

        /// The labels take few different values, so the timers are kept for ever.
        private func timer(_ labels: QueryLabels, _ factory: any MetricsFactory) -> Timer {
            timers.withLock { timers in
                if let timer = timers[labels] { return timer }
                let dimensions = labels.dimensions + dimensions
                let handler = factory.makeTimer(label: Convention.operationDuration, dimensions: dimensions)
                // OpenTelemetry's unit for durations.
                handler.preferDisplayUnit(.seconds)
                let timer = Timer(
                    label: Convention.operationDuration,
                    dimensions: dimensions,
                    handler: handler,
                    factory: factory
                )
                timers[labels] = timer
                return timer
            }
        }

        private func makeSpan(_ execution: PostgresExecution, _ labels: QueryLabels, _ tracer: any Tracer) {
            let end = Instant.now
            let span = tracer.startSpan(
                [labels.operation, labels.namespace].compactMap(\.self).joined(separator: " "),
                context: ServiceContext.current ?? .topLevel,
                ofKind: .client,
                at: end.advanced(by: .zero - execution.duration)
            )
            for (name, value) in labels.dimensions where name != Convention.serverPort {
                span.attributes[name] = value
            }
            if let port = labels.port { span.attributes[Convention.serverPort] = port }
            if recordsQueryText { span.attributes["db.query.text"] = execution.sql }
            if execution.statementCount > 1 { span.attributes["db.operation.batch.size"] = execution.statementCount }
            if let rows = execution.returnedRows { span.attributes["db.response.returned_rows"] = rows }
            if let error = execution.error {
                if let state = (error as? PostgresError)?.sqlState {
                    span.attributes["db.response.status_code"] = state
                }
                span.recordError(error, attributes: [:], at: end)
                span.setStatus(SpanStatus(code: .error, message: "\(error)"))
            }
            span.end(at: end)
        }
    }
#endif
