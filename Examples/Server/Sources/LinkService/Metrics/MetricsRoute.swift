import Hummingbird
import NIOCore

/// All that is recorded through swift-metrics, for Prometheus.
struct MetricsRoute {
    let metrics: ScrapedMetrics

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("metrics") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: PrometheusText.contentType, .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: PrometheusText.text(of: metrics.all)))
            )
        }
    }
}
