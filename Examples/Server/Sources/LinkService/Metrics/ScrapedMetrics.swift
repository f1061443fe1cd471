// SPDX-License-Identifier: Apache-2.0

import CoreMetrics
import Synchronization

/// A swift-metrics backend that keeps values in memory until Prometheus scrapes them.
///
/// It contains what this example needs. In your own service, use the package swift-prometheus instead.
public final class ScrapedMetrics: MetricsFactory {
    /// The metrics of one type with one label, which Prometheus calls a family.
    struct Family {
        enum Kind { case counter, gauge, histogram, durations }

        let label: String
        let kind: Kind
        var numbers: [(id: MetricID, number: ScrapedNumber)] = []
        var histograms: [(id: MetricID, histogram: ScrapedHistogram)] = []
    }

    private struct State {
        var kinds: [String: Family.Kind] = [:]
        var numbers: [MetricID: ScrapedNumber] = [:]
        var histograms: [MetricID: ScrapedHistogram] = [:]
    }

    private let state = Mutex(State())

    public init() {}

    /// All metrics, sorted by label.
    var families: [Family] {
        state.withLock { state in
            state.kinds.sorted { $0.key < $1.key }.map { label, kind in
                var family = Family(label: label, kind: kind)
                family.numbers = state.numbers.filter { $0.key.label == label }.map { ($0.key, $0.value) }
                family.histograms = state.histograms.filter { $0.key.label == label }.map { ($0.key, $0.value) }
                return family
            }
        }
    }

    public func makeCounter(label: String, dimensions: [(String, String)]) -> any CounterHandler {
        number(.counter, label, dimensions)
    }

    public func makeFloatingPointCounter(
        label: String,
        dimensions: [(String, String)]
    ) -> any FloatingPointCounterHandler {
        number(.counter, label, dimensions)
    }

    public func makeMeter(label: String, dimensions: [(String, String)]) -> any MeterHandler {
        number(.gauge, label, dimensions)
    }

    public func makeRecorder(label: String, dimensions: [(String, String)], aggregate: Bool) -> any RecorderHandler {
        aggregate ? histogram(.histogram, label, dimensions) : number(.gauge, label, dimensions)
    }

    public func makeTimer(label: String, dimensions: [(String, String)]) -> any TimerHandler {
        histogram(.durations, label, dimensions)
    }

    // Prometheus expects counters to exist as long as the process.
    public func destroyCounter(_ handler: any CounterHandler) {}
    public func destroyFloatingPointCounter(_ handler: any FloatingPointCounterHandler) {}
    public func destroyMeter(_ handler: any MeterHandler) {}
    public func destroyRecorder(_ handler: any RecorderHandler) {}
    public func destroyTimer(_ handler: any TimerHandler) {}

    private func number(_ kind: Family.Kind, _ label: String, _ dimensions: [(String, String)]) -> ScrapedNumber {
        let id = MetricID(label, dimensions)
        return state.withLock { state in
            // A label has one type in Prometheus. The first type wins, and metrics of other types are not exposed.
            if state.kinds[label, default: kind] != kind { return ScrapedNumber() }
            state.kinds[label] = kind
            if let number = state.numbers[id] { return number }
            let number = ScrapedNumber()
            state.numbers[id] = number
            return number
        }
    }

    private func histogram(_ kind: Family.Kind, _ label: String, _ dimensions: [(String, String)]) -> ScrapedHistogram {
        let id = MetricID(label, dimensions)
        let bounds = kind == .durations ? ScrapedHistogram.seconds : ScrapedHistogram.values
        return state.withLock { state in
            if state.kinds[label, default: kind] != kind { return ScrapedHistogram(bounds: bounds) }
            state.kinds[label] = kind
            if let histogram = state.histograms[id] { return histogram }
            let histogram = ScrapedHistogram(bounds: bounds)
            state.histograms[id] = histogram
            return histogram
        }
    }
}
