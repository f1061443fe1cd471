// SPDX-License-Identifier: Apache-2.0

import BurstPool
import HTTPTypes
import Hummingbird
import NIOCore
import ServiceLifecycle

/// The page that shows the pools, and the stream of events that it draws.
struct PoolPageRoutes {
    let sampler: PoolSampler

    /// The time after which a page reconnects.
    private static var retry: Duration { .milliseconds(500) }

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("") { _, _ in Response(status: .found, headers: [.location: "/pool"]) }
        router.get("pool") { _, _ in Self.page(PackageResources.pool_html, "text/html; charset=utf-8") }
        router.get("pool/pool.css") { _, _ in Self.page(PackageResources.pool_css, "text/css; charset=utf-8") }
        let scripts = [
            ("page.js", PackageResources.page_js), ("chart.js", PackageResources.chart_js),
            ("samples.js", PackageResources.samples_js), ("leases.js", PackageResources.leases_js),
        ]
        for (name, script) in scripts {
            router.get("pool/\(name)") { _, _ in Self.page(script, "text/javascript; charset=utf-8") }
        }
        router.get("pool/leases") { _, _ in leases() }
        router.get("pool/events", use: events)
    }

    /// The leases in use and the waiting callers of all pools, as text.
    private func leases() -> Response {
        let snapshots = sampler.databases.map { "\($0.pool.snapshot)\n" }.joined(separator: "\n")
        return Response(
            status: .ok,
            headers: [.contentType: "text/plain; charset=utf-8", .cacheControl: "no-store"],
            body: ResponseBody(byteBuffer: ByteBuffer(string: snapshots))
        )
    }

    private static func page(_ content: [UInt8], _ type: String) -> Response {
        Response(
            status: .ok,
            headers: [
                .contentType: type,
                .cacheControl: "no-cache",
                // The page loads nothing from other servers.
                .contentSecurityPolicy:
                    "default-src 'none'; style-src 'self' 'unsafe-inline'; script-src 'self'; img-src data:; connect-src 'self'",
            ],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: content))
        )
    }

    /// Sends samples until the viewer leaves or the service stops.
    ///
    /// Samples are sent even if nothing changes, so that a page without samples for seconds knows that it has lost the service.
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
                // Keeps a proxy from buffering the events.
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
