// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import HTTPTypes
import Hummingbird
import ServiceLifecycle
import Synchronization

/// Counts and times requests, and asks clients to close their connections when the service is stopping.
///
/// The metrics have OpenTelemetry's names for HTTP servers. A request without a route has no label for it, and an unknown
/// method has the label `_OTHER`, so that clients cannot create new label values.
struct RequestMeasurements: RouterMiddleware {
    private struct Key: Hashable {
        let route: String?
        let method: String
        let status: Int
    }

    private final class Timers: Sendable {
        private let factory: any MetricsFactory
        private let timers = Mutex<[Key: Timer]>([:])

        init(_ factory: any MetricsFactory) { self.factory = factory }

        func timer(_ key: Key) -> Timer {
            timers.withLock { timers in
                if let timer = timers[key] { return timer }
                var dimensions = [("http.request.method", key.method), ("http.response.status_code", "\(key.status)")]
                if let route = key.route { dimensions.append(("http.route", route)) }
                let timer = Timer(
                    label: "http.server.request.duration",
                    dimensions: dimensions,
                    preferredDisplayUnit: .seconds,
                    factory: factory
                )
                timers[key] = timer
                return timer
            }
        }
    }

    private let counts: RequestCounts
    private let timers: Timers
    private let active: Meter

    init(counts: RequestCounts, factory: any MetricsFactory = MetricsSystem.factory) {
        self.counts = counts
        timers = Timers(factory)
        active = Meter(label: "http.server.active_requests", factory: factory)
    }

    func handle(
        _ request: Request,
        context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        counts.begin()
        active.increment()
        defer { active.decrement() }
        let start = ContinuousClock.now
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            end(request, context, .internalServerError, since: start)
            throw error
        }
        end(request, context, response.status, since: start)
        // The server closes the connection after this response. A client that knows it does not send another request on it.
        if Task.isShuttingDownGracefully { response.headers[.connection] = "close" }
        return response
    }

    private func end(
        _ request: Request,
        _ context: ServiceContext,
        _ status: HTTPResponse.Status,
        since start: ContinuousClock.Instant
    ) {
        counts.end(with: status)
        let method = Self.knownMethods.contains(request.method) ? request.method.rawValue : "_OTHER"
        let timer = timers.timer(Key(route: context.endpointPath, method: method, status: status.code))
        timer.recordNanoseconds(Int64((ContinuousClock.now - start) / .nanoseconds(1)))
    }

    private static let knownMethods: Set<HTTPRequest.Method> = [
        .get, .head, .post, .put, .delete, .patch, .options, .trace, .connect,
    ]
}
