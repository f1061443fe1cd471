// SPDX-License-Identifier: Apache-2.0

#if Postgres
    import BurstPoolObservability
    import BurstPoolPostgres
    import InMemoryTracing
    import MetricsTestKit
    import Testing
    import Tracing

    @Suite("Queries of PostgreSQL", .timeLimit(.minutes(5)))
    struct PostgresQueryTests {
        private let metrics = TestMetrics()
        private let tracer = InMemoryTracer()

        private func telemetry(recordsQueryText: Bool = true) -> PostgresQueryTelemetry {
            var configuration = ConnectionPoolTelemetryConfiguration()
            configuration.metricsFactory = metrics
            configuration.tracer = tracer
            configuration.dimensions = [("service", "shop")]
            return PostgresQueryTelemetry(configuration: configuration, recordsQueryText: recordsQueryText)
        }

        private func execution(
            _ sql: String,
            count: Int = 1,
            rows: Int? = nil,
            error: (any Error)? = nil
        ) -> PostgresExecution {
            PostgresExecution(
                sql: sql,
                statementCount: count,
                duration: .milliseconds(3),
                returnedRows: rows,
                error: error,
                host: "db.internal",
                port: 5433,
                database: "orders"
            )
        }

        @Test("a query is a client span within the caller's span, with OpenTelemetry's attributes")
        func span() throws {
            let request = tracer.startSpan("GET", context: .topLevel)
            ServiceContext.withValue(request.context) {
                telemetry().record(execution(" select * FROM users WHERE id = $1", rows: 2))
            }
            let span = try #require(tracer.finishedSpans.first)
            #expect(span.operationName == "SELECT orders")
            #expect(span.kind == .client)
            #expect(span.parentSpanID == request.spanID)
            #expect(span.attributes.get("db.system.name") == .string("postgresql"))
            #expect(span.attributes.get("db.operation.name") == .string("SELECT"))
            #expect(span.attributes.get("db.namespace") == .string("orders"))
            #expect(span.attributes.get("db.query.text") == .string(" select * FROM users WHERE id = $1"))
            #expect(span.attributes.get("server.address") == .string("db.internal"))
            #expect(span.attributes.get("server.port") == .int64(5433))
            #expect(span.attributes.get("db.response.returned_rows") == .int64(2))
            #expect(span.attributes.get("error.type") == nil && span.errors.isEmpty && span.status == nil)
            #expect(span.endInstant.nanosecondsSinceEpoch - span.startInstant.nanosecondsSinceEpoch == 3_000_000)
        }

        @Test("a failed query has the error, and the metric has its type")
        func failure() throws {
            struct Oops: Error {}
            telemetry().record(execution("DELETE FROM users", error: Oops()))
            let span = try #require(tracer.finishedSpans.first)
            #expect(span.attributes.get("error.type") == .string("Oops"))
            #expect(span.status?.code == .error)
            #expect(span.errors.count == 1)
            let timer = try metrics.expectTimer(
                "db.client.operation.duration",
                [
                    ("db.system.name", "postgresql"), ("db.operation.name", "DELETE"), ("db.namespace", "orders"),
                    ("server.address", "db.internal"), ("server.port", "5433"), ("error.type", "Oops"),
                    ("service", "shop"),
                ]
            )
            #expect(timer.values == [3_000_000])
        }

        @Test("executions with the same labels share a timer, and the operation is one of few")
        func timers() throws {
            let telemetry = telemetry()
            for sql in ["SELECT 1", "select 2", "SELECT 3"] { telemetry.record(execution(sql)) }
            telemetry.record(execution("/* a comment */ SELECT 1"))
            telemetry.record(execution("anything", count: 1))
            telemetry.record(execution("INSERT INTO a VALUES (1); DELETE FROM b", count: 2))
            let counts = Dictionary(
                grouping: metrics.timers,
                by: { timer in timer.dimensions.first { $0.0 == "db.operation.name" }?.1 }
            ).mapValues { timers in timers.map(\.values.count) }
            #expect(counts == ["SELECT": [3], "OTHER": [2], "BATCH": [1]])
            #expect(tracer.finishedSpans.last?.attributes.get("db.operation.batch.size") == .int64(2))
        }

        @Test("the text of statements can be left out")
        func withoutText() throws {
            telemetry(recordsQueryText: false).record(execution("SELECT 'secret'"))
            #expect(try #require(tracer.finishedSpans.first).attributes.get("db.query.text") == nil)
        }
    }
#endif
