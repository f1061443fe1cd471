import CoreMetrics
import Synchronization

/// Keeps what is recorded through swift-metrics until it is fetched.
///
/// As little as this service needs of what swift-prometheus is: take that where you can, in the same place.
public final class ScrapedMetrics: MetricsFactory {
    private let metrics = Mutex<[ScrapedMetric.Name: ScrapedMetric]>([:])

    public init() {}

    /// All metrics there are, by name and labels.
    var all: [ScrapedMetric] {
        metrics.withLock { Array($0.values) }.sorted { ($0.name.text, $0.labelText) < ($1.name.text, $1.labelText) }
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        metric(.counter, label, dimensions)
    }

    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        metric(.counter, label, dimensions)
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        metric(.gauge, label, dimensions)
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        metric(aggregate ? .values : .gauge, label, dimensions)
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        metric(.seconds, label, dimensions)
    }

    // Counters go on for as long as the process does, which is what Prometheus expects of them.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    /// Who asks for a metric again is given the same one.
    private func metric(_ kind: ScrapedMetric.Kind, _ label: String, _ dimensions: [(String, String)]) -> ScrapedMetric
    {
        let name = ScrapedMetric.Name(
            text: label,
            kind: kind,
            labels: dimensions.map { ScrapedMetric.Label(name: $0.0, value: $0.1) }
        )
        return metrics.withLock { metrics in
            if let metric = metrics[name] { return metric }
            let metric = ScrapedMetric(name: name)
            metrics[name] = metric
            return metric
        }
    }
}
