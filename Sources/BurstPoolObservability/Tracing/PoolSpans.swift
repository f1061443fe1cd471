// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Tracing

/// Makes the spans of one pool.
///
/// An acquire span starts when its caller joins the wait queue, in the caller's task, because connect spans need it as their
/// parent. The other spans are made when they are complete, with explicit start and end times.
final class PoolSpans: Sendable {
    private let tracer: any Tracer
    private let poolName: String
    private let waits: TracedWaits

    /// Returns `nil` if the configuration has no tracer.
    ///
    /// - Parameter limit: The largest number of waiting callers, and of callers that waited recently, whose spans are kept.
    init?(_ configuration: ConnectionPoolTelemetryConfiguration, poolName: String, limit: Int = 4096) {
        guard let tracer = configuration.tracer, !(tracer is NoOpTracer) else { return nil }
        self.tracer = tracer
        self.poolName = poolName
        waits = TracedWaits(limit: limit)
    }

    func record(_ event: ConnectionPoolEvent) {
        switch event {
        case .waitBegan(let wait): began(wait)
        case .acquired(let acquisition, let waited, let wait?):
            let (span, began) = acquireSpan(of: wait, waited)
            span.attributes["connection_pool.acquisition"] = acquisition.rawValue
            if acquisition == .waited { makeWaitSpan(in: span.context, from: began, lasting: waited, nil) }
            span.end(at: began.advanced(by: waited))
        case .acquireFailed(let error, let waited, let wait?):
            let connectHasEnded = waits.connectHasEnded(wait)
            let (span, began) = acquireSpan(of: wait, waited)
            // If the acquire failed because a connection attempt failed, the caller did not wait for a release.
            if !connectHasEnded { makeWaitSpan(in: span.context, from: began, lasting: waited, error) }
            span.fail(error, at: began.advanced(by: waited))
            span.end(at: began.advanced(by: waited))
        case .opened(let duration, let wait):
            let parent = wait.flatMap { waits.context(of: $0, isLastConnect: true) }
            makeConnectSpan(in: parent, lasting: duration, nil)
        case .openFailed(let error, let duration, let willRetry, let wait):
            let parent = wait.flatMap { waits.context(of: $0, isLastConnect: !willRetry) }
            makeConnectSpan(in: parent, lasting: duration, error)
        default: break
        }
    }

    private func began(_ wait: ConnectionWait) {
        guard waits.hasRoom else { return }
        let now = Instant.now
        let span = startSpan("acquire", in: ServiceContext.current, at: now)
        waits.add(wait, TracedWait(span: span, began: now))
    }

    /// Returns the span that started when the wait began. If too many callers were waiting then, returns a span that is made
    /// now, which still runs in the caller's task.
    private func acquireSpan(of wait: ConnectionWait, _ waited: Duration) -> (any Span, Instant) {
        if let traced = waits.end(wait) { return (traced.span, traced.began) }
        let began = Instant.now.advanced(by: .zero - waited)
        return (startSpan("acquire", in: ServiceContext.current, at: began), began)
    }

    private func makeWaitSpan(
        in parent: ServiceContext,
        from began: Instant,
        lasting duration: Duration,
        _ error: (any Error)?
    ) {
        let span = startSpan("wait", in: parent, at: began)
        if let error { span.fail(error, at: began.advanced(by: duration)) }
        span.end(at: began.advanced(by: duration))
    }

    private func makeConnectSpan(in parent: ServiceContext?, lasting duration: Duration, _ error: (any Error)?) {
        let now = Instant.now
        let span = startSpan("connect", in: parent, ofKind: .client, at: now.advanced(by: .zero - duration))
        if let error { span.fail(error, at: now) }
        span.end(at: now)
    }

    private func startSpan(
        _ name: String,
        in parent: ServiceContext?,
        ofKind kind: SpanKind = .internal,
        at instant: Instant
    ) -> any Span {
        let span = tracer.startSpan(
            "connection_pool.\(name)",
            context: parent ?? .topLevel,
            ofKind: kind,
            at: instant
        )
        span.attributes[Convention.poolName] = poolName
        return span
    }
}

typealias Instant = DefaultTracerClock.Timestamp

extension Instant {
    static var now: Instant { DefaultTracerClock.now }

    func advanced(by duration: Duration) -> Instant {
        let (moment, overflow) = Int64(clamping: nanosecondsSinceEpoch).addingReportingOverflow(duration.nanoseconds)
        return Instant(nanosecondsSinceEpoch: UInt64(overflow ? .max : max(0, moment)))
    }
}

extension Span {
    fileprivate func fail(_ error: any Error, at instant: Instant) {
        recordError(error, attributes: [:], at: instant)
        setStatus(SpanStatus(code: .error, message: "\(error)"))
    }
}
