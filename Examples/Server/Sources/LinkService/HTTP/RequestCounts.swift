import HTTPTypes
import Hummingbird
import ServiceLifecycle
import Synchronization

/// How many requests there were, and how they were answered: for the page, and for the last line of the log.
final class RequestCounts: Sendable {
    private let begun = Atomic(0)
    private let succeeded = Atomic(0)
    private let redirected = Atomic(0)
    private let faulty = Atomic(0)
    private let failed = Atomic(0)
    private let refused = Atomic(0)

    /// The counts at one moment, each since the start.
    struct Snapshot: Sendable, Equatable {
        /// By the class of the status: 2xx, 3xx, 4xx, 5xx.
        var succeeded = 0
        var redirected = 0
        var faulty = 0
        var failed = 0
        /// With the status 503, which are among the ``failed``.
        var unavailable = 0
        /// Accepted and not answered yet.
        var active = 0

        var answered: Int { succeeded + redirected + faulty + failed }
    }

    func begin() {
        begun.add(1, ordering: .relaxed)
    }

    func end(with status: HTTPResponse.Status) {
        switch status.kind {
        case .informational, .successful: succeeded.add(1, ordering: .relaxed)
        case .redirection: redirected.add(1, ordering: .relaxed)
        case .clientError: faulty.add(1, ordering: .relaxed)
        case .serverError, .invalid:
            failed.add(1, ordering: .relaxed)
            if status == .serviceUnavailable { refused.add(1, ordering: .relaxed) }
        }
    }

    var snapshot: Snapshot {
        var counts = Snapshot(
            succeeded: succeeded.load(ordering: .relaxed),
            redirected: redirected.load(ordering: .relaxed),
            faulty: faulty.load(ordering: .relaxed),
            failed: failed.load(ordering: .relaxed),
            unavailable: refused.load(ordering: .relaxed)
        )
        counts.active = max(0, begun.load(ordering: .relaxed) - counts.answered)
        return counts
    }
}

/// Counts requests, and asks clients to leave when the service is stopping.
struct RequestCountsMiddleware: RouterMiddleware {
    let counts: RequestCounts

    func handle(
        _ request: Request,
        context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        counts.begin()
        var response: Response
        do {
            response = try await next(request, context)
        } catch {
            counts.end(with: .internalServerError)
            throw error
        }
        counts.end(with: response.status)
        // The server closes the connection behind this answer. A client that knows does not send another request into it.
        if Task.isShuttingDownGracefully { response.headers[.connection] = "close" }
        return response
    }
}
