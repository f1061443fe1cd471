import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

/// The page that draws the pool, and the events it is fed with.
struct PoolPageRoutes {
    let sampler: PoolSampler

    /// After how long a page that has lost its connection tries again.
    private static let retry = Duration.milliseconds(500)

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("") { _, _ in Response(status: .found, headers: [.location: "/pool"]) }
        router.get("pool") { _, _ in page }
        router.get("pool/events", use: events)
    }

    private var page: Response {
        Response(
            status: .ok,
            headers: [
                .contentType: "text/html; charset=utf-8",
                .cacheControl: "no-cache",
                // All of the page is in the page, and it talks to nobody else.
                .contentSecurityPolicy:
                    "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:; connect-src 'self'",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: PackageResources.pool_html))
        )
    }

    /// Samples, several a second, until the viewer leaves or the service stops. They come whether anything changes or not,
    /// so each is a heartbeat too: a page that hears nothing for seconds knows that it has lost the service.
    private func events(_ request: Request, _ context: ServiceContext) -> Response {
        let latest = request.headers[.lastEventID].flatMap { Int($0) }
        let body = ResponseBody { writer in
            let viewing = sampler.view(since: latest)
            try await writer.write(ServerSentEvent.retry(after: Self.retry))
            try await request.body.consumeWithCancellationOnInboundClose { _ in
                try await withGracefulShutdownHandler {
                    for await event in viewing.events { try await writer.write(event) }
                } onGracefulShutdown: {
                    viewing.end()
                }
            }
            try await writer.finish(nil)
        }
        return Response(
            status: .ok,
            headers: [
                .contentType: ServerSentEvent.contentType,
                .cacheControl: "no-cache",
                // Proxies that collect answers would hold the events back.
                .accelBuffering: "no",
            ],
            body: body
        )
    }
}

extension HTTPField.Name {
    fileprivate static let lastEventID = Self("Last-Event-ID")!
    fileprivate static let accelBuffering = Self("X-Accel-Buffering")!
}
