// SPDX-License-Identifier: Apache-2.0

import InMemoryTracing
import Testing
import Tracing

@testable import BurstPool
@testable import BurstPoolObservability

@Suite("Kept spans", .timeLimit(.minutes(5)))
struct TracedWaitsTests {
    private func makeSpans(_ tracer: InMemoryTracer, limit: Int) throws -> PoolSpans {
        var configuration = ConnectionPoolTelemetryConfiguration(poolName: "orders")
        configuration.tracer = tracer
        return try #require(PoolSpans(configuration, poolName: "orders", limit: limit))
    }

    @Test("the oldest ended wait is forgotten first")
    func ended() throws {
        let tracer = InMemoryTracer()
        let spans = try makeSpans(tracer, limit: 2)
        for number in UInt64(1)...3 {
            spans.record(.waitBegan(ConnectionWait(number: number)))
            spans.record(.acquired(.waited, waited: .seconds(1), wait: ConnectionWait(number: number)))
        }
        for number in UInt64(1)...3 {
            spans.record(.opened(duration: .seconds(1), wait: ConnectionWait(number: number)))
        }
        let acquires = tracer.finishedSpans.filter { $0.operationName == "connection_pool.acquire" }
        let connects = tracer.finishedSpans.filter { $0.operationName == "connection_pool.connect" }
        #expect(connects.map(\.parentSpanID) == [nil, acquires[1].spanID, acquires[2].spanID])
    }

    @Test("with too many waiting callers, the next span is made when its wait has ended, with the same parent")
    func overflow() throws {
        let tracer = InMemoryTracer()
        let spans = try makeSpans(tracer, limit: 1)
        let request = tracer.startSpan("GET", context: .topLevel)
        ServiceContext.withValue(request.context) {
            for number in UInt64(1)...2 { spans.record(.waitBegan(ConnectionWait(number: number))) }
            #expect(tracer.activeSpans.count == 2)
            spans.record(.acquired(.waited, waited: .seconds(7), wait: ConnectionWait(number: 2)))
        }
        let acquire = try #require(tracer.finishedSpans.first { $0.operationName == "connection_pool.acquire" })
        #expect(acquire.parentSpanID == request.spanID)
        let duration = acquire.endInstant.nanosecondsSinceEpoch - acquire.startInstant.nanosecondsSinceEpoch
        #expect(duration == 7_000_000_000)
    }

    @Test("a wait is forgotten when its last connection attempt has ended")
    func nothingKept() throws {
        let waits = TracedWaits(limit: 2)
        let wait = ConnectionWait(number: 1)
        let span = InMemoryTracer().startSpan("acquire", context: .topLevel)
        waits.add(wait, TracedWait(span: span, began: .now))
        #expect(waits.context(of: wait, isLastConnect: true) != nil)
        #expect(waits.end(wait) != nil)
        #expect(waits.context(of: wait, isLastConnect: true) == nil)
        #expect(waits.end(wait) == nil)
    }
}
