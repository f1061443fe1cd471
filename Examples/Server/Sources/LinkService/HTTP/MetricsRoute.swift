import BurstPool
import Hummingbird
import NIOCore

/// The pool and the requests, for Prometheus.
struct MetricsRoute {
    let pool: RedisPool
    let counts: RequestCounts

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("metrics") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: PrometheusText.contentType],
                body: ResponseBody(byteBuffer: ByteBuffer(string: exposition))
            )
        }
    }

    /// Named as OpenTelemetry names them, written as Prometheus writes names.
    private var exposition: String {
        let connections = pool.statistics
        let requests = counts.snapshot
        var text = PrometheusText()
        text.gauge(
            "db_client_connection_count",
            "Connections of the pool, by what they are doing.",
            [
                ("state", "idle", connections.idle), ("state", "used", connections.inUse),
                ("state", "connecting", connections.connecting), ("state", "closing", connections.closing),
            ]
        )
        text.gauge(
            "db_client_connection_max",
            "How many connections there may be, in a burst.",
            connections.burstLimit ?? connections.maxSize
        )
        text.gauge(
            "db_client_connection_idle_max",
            "How many connections the pool keeps.",
            connections.maxSize
        )
        text.gauge(
            "db_client_connection_pending_requests",
            "Callers that wait for a connection.",
            connections.waiting
        )
        text.gauge("http_server_active_requests", "Requests accepted and not answered yet.", requests.active)
        text.counter(
            "http_server_requests_total",
            "Requests answered, by the class of the status.",
            [
                ("code", "2xx", requests.succeeded), ("code", "3xx", requests.redirected),
                ("code", "4xx", requests.faulty), ("code", "5xx", requests.failed),
            ]
        )
        text.counter(
            "http_server_requests_unavailable_total",
            "Requests answered with the status 503.",
            [(nil, nil, requests.unavailable)]
        )
        return text.text
    }
}
