// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import NIOCore

/// `/metrics`: everything that is recorded with swift-metrics, for Prometheus.
struct MetricsRoute {
    let metrics: ScrapedMetrics

    func add(to router: some RouterMethods<ServiceContext>) {
        router.get("metrics") { _, _ in
            Response(
                status: .ok,
                headers: [.contentType: PrometheusText.contentType, .cacheControl: "no-store"],
                body: ResponseBody(byteBuffer: ByteBuffer(string: PrometheusText.text(of: metrics.families)))
            )
        }
    }
}
