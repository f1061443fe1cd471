// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolTesting
import InMemoryTracing
import Testing
import Tracing

@testable import BurstPoolObservability

@Suite("Spans", .timeLimit(.minutes(5)))
struct SpansTests {
    /// Runs a body in a request with a name, and returns the span of the request.
    private func request<Result>(
        _ name: String,
        _ observed: ObservedPool,
        _ body: () async throws -> Result
    ) async throws -> (InMemorySpan, Result) {
        let span = observed.tracer.startSpan(name, context: .topLevel)
        defer { span.end() }
        return (span, try await ServiceContext.withValue(span.context) { try await body() })
    }

    /// Starts a request in a new task, and waits until it is in the wait queue.
    private func startRequest(
        _ name: String,
        _ observed: ObservedPool
    ) async throws -> (InMemorySpan, Task<Void, any Error>) {
        let before = observed.pool.statistics.waiting
        let span = observed.tracer.startSpan(name, context: .topLevel)
        let task = ServiceContext.withValue(span.context) {
            Task {
                defer { span.end() }
                try await observed.pool.withConnection { _ in }
            }
        }
        try await observed.expectWaiting(before + 1)
        return (span, task)
    }

    @Test(
        "if a connection is opened for a caller, its acquire span is a child of the request and the connect span a child of the acquire span"
    )
    func opened() async throws {
        let observed = try ObservedPool(maxSize: 1)
        let (request, _) = try await request("GET", observed) {
            try await observed.pool.withConnection { _ in }
        }
        let acquire = try #require(observed.finishedSpans("connection_pool.acquire").first)
        let connect = try #require(observed.finishedSpans("connection_pool.connect").first)
        #expect(observed.tracer.finishedSpans.count == 3)
        #expect(acquire.parentSpanID == request.spanID)
        #expect(connect.parentSpanID == acquire.spanID)
        #expect(Set([request.traceID, acquire.traceID, connect.traceID]).count == 1)
        #expect(acquire.kind == .internal)
        #expect(connect.kind == .client)
        #expect(acquire.attributes.get("connection_pool.acquisition") == .string("opened"))
        for span in [acquire, connect] {
            #expect(span.attributes.get("db.client.connection.pool.name") == .string("orders"))
            #expect(span.errors.isEmpty && span.status == nil)
        }
        await observed.pool.shutdown()
    }

    @Test("spans last as long as the operations that they describe")
    func durations() async throws {
        let clock = ManualClock()
        let strategy = ScriptedStrategy { $0.open = { _ in clock.advance(by: .milliseconds(250)) } }
        let observed = try ObservedPool(maxSize: 1, strategy: strategy, configure: { $0.clock = clock })
        try await observed.pool.withConnection { _ in }
        for name in ["acquire", "connect"] {
            let span = try #require(observed.finishedSpans("connection_pool.\(name)").first)
            let duration = span.endInstant.nanosecondsSinceEpoch - span.startInstant.nanosecondsSinceEpoch
            #expect(duration == 250_000_000, "\(name)")
        }
        await observed.pool.shutdown()
    }

    @Test(
        "if a caller receives a released connection, its wait span is a child of the acquire span and there is no connect span"
    )
    func waited() async throws {
        let observed = try ObservedPool(maxSize: 1)
        let lease = try await observed.pool.acquire()
        let (request, task) = try await startRequest("GET", observed)
        lease.release()
        try await task.value
        let acquire = try #require(
            observed.finishedSpans("connection_pool.acquire").first { $0.traceID == request.traceID }
        )
        let wait = try #require(observed.finishedSpans("connection_pool.wait").first)
        #expect(acquire.parentSpanID == request.spanID)
        #expect(acquire.attributes.get("connection_pool.acquisition") == .string("waited"))
        #expect(wait.parentSpanID == acquire.spanID)
        #expect(wait.startInstant.nanosecondsSinceEpoch == acquire.startInstant.nanosecondsSinceEpoch)
        #expect(wait.endInstant.nanosecondsSinceEpoch == acquire.endInstant.nanosecondsSinceEpoch)
        #expect(observed.finishedSpans("connection_pool.connect").allSatisfy { $0.traceID != request.traceID })
        await observed.pool.shutdown()
    }

    @Test(
        "a connect span stays a child of the acquire for which it began, even if the connection serves another caller"
    )
    func overtaken() async throws {
        let gate = Gate()
        let strategy = ScriptedStrategy { $0.open = { if $0 == 2 { await gate.pass() } } }
        let observed = try ObservedPool(maxSize: 2, strategy: strategy)
        let first = try await observed.pool.acquire()
        let requestA = observed.tracer.startSpan("A", context: .topLevel)
        let keep = Gate()
        let taskA = ServiceContext.withValue(requestA.context) {
            Task {
                try await observed.pool.withConnection { number in
                    await keep.pass()
                    return number
                }
            }
        }
        try await eventually("A's connection is opening") { gate.held == 1 }
        // A receives the released connection and keeps it, so B waits for the one that is opening.
        first.release()
        try await eventually("A has a connection") { keep.held == 1 }
        let (requestB, taskB) = try await startRequest("B", observed)
        gate.open()
        try await taskB.value
        keep.open()
        #expect(try await taskA.value == 1)

        let acquires = observed.finishedSpans("connection_pool.acquire")
        let acquireA = try #require(acquires.first { $0.traceID == requestA.traceID })
        let acquireB = try #require(acquires.first { $0.traceID == requestB.traceID })
        let connect = try #require(
            observed.finishedSpans("connection_pool.connect").first { $0.traceID == requestA.traceID }
        )
        #expect(acquireA.parentSpanID == requestA.spanID)
        #expect(acquireB.parentSpanID == requestB.spanID)
        #expect(connect.parentSpanID == acquireA.spanID)
        #expect(acquireA.attributes.get("connection_pool.acquisition") == .string("waited"))
        #expect(acquireB.attributes.get("connection_pool.acquisition") == .string("waited"))
        #expect(observed.finishedSpans("connection_pool.connect").count == 2)
        await observed.pool.shutdown()
    }

    @Test("the connect span of a cancelled caller stays a child of its failed acquire span")
    func cancelled() async throws {
        let gate = Gate()
        let strategy = ScriptedStrategy { $0.open = { _ in await gate.pass() } }
        let observed = try ObservedPool(maxSize: 1, strategy: strategy)
        let (request, task) = try await startRequest("GET", observed)
        task.cancel()
        await #expect(throws: CancellationError.self) { try await task.value }
        gate.open()
        try await eventually("the connect has ended") { !observed.finishedSpans("connection_pool.connect").isEmpty }
        let acquire = try #require(observed.finishedSpans("connection_pool.acquire").first)
        let connect = try #require(observed.finishedSpans("connection_pool.connect").first)
        #expect(acquire.parentSpanID == request.spanID)
        #expect(acquire.status?.code == .error)
        #expect(acquire.errors.first?.error is CancellationError)
        #expect(connect.parentSpanID == acquire.spanID)
        #expect(connect.status == nil)
        await observed.pool.shutdown()
    }

    @Test("a connection that cannot be opened fails both spans")
    func openFailed() async throws {
        let strategy = ScriptedStrategy { $0.open = { _ in throw ScriptedError("refused") } }
        let observed = try ObservedPool(maxSize: 1, strategy: strategy)
        await #expect(throws: ScriptedError.self) { try await observed.pool.withConnection { _ in } }
        for name in ["acquire", "connect"] {
            let span = try #require(observed.finishedSpans("connection_pool.\(name)").first)
            #expect(span.errors.first?.error as? ScriptedError == ScriptedError("refused"))
            #expect(span.status == SpanStatus(code: .error, message: "refused"))
        }
        #expect(observed.finishedSpans("connection_pool.wait").isEmpty, "it was the connect, and not the queue")
        await observed.pool.shutdown()
    }

    @Test("repeated attempts are all children of the same acquire span")
    func retried() async throws {
        let strategy = ScriptedStrategy { $0.open = { if $0 < 3 { throw ScriptedError("refused") } } }
        let observed = try ObservedPool(
            maxSize: 1,
            strategy: strategy,
            configure: {
                $0.clock = ContinuousClock()
                $0.connectRetry = ConnectionBackoff(base: .nanoseconds(1), cap: .nanoseconds(1))
            }
        )
        try await observed.pool.withConnection { _ in }
        let acquire = try #require(observed.finishedSpans("connection_pool.acquire").first)
        let connects = observed.finishedSpans("connection_pool.connect")
        #expect(connects.count == 3)
        #expect(connects.allSatisfy { $0.parentSpanID == acquire.spanID })
        #expect(connects.filter { $0.status?.code == .error }.count == 2)
        await observed.pool.shutdown()
    }

    @Test("a connection that the pool opens for its minimum idle belongs to no request, even if a request triggered it")
    func ownStock() async throws {
        let observed = try ObservedPool(maxSize: 1)
        _ = try await request("warm up", observed) { try await observed.pool.prewarm(1) }
        let connect = try #require(observed.finishedSpans("connection_pool.connect").first)
        #expect(connect.parentSpanID == nil)
        await observed.pool.shutdown()
    }

    @Test("a lease of an idle connection makes no span, even if leases are observed")
    func idle() async throws {
        let observed = try ObservedPool(maxSize: 1, observe: { $0.recordsUseTime = true })
        try await observed.pool.withConnection { _ in }
        let before = observed.tracer.finishedSpans.count
        try await observed.pool.withConnection { _ in }
        #expect(observed.tracer.finishedSpans.count == before)
        #expect(observed.tracer.activeSpans.isEmpty)
        await observed.pool.shutdown()
    }
}
