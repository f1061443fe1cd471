// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Writes metrics in Prometheus's text format, version 0.0.4.
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    static func text(of families: [ScrapedMetrics.Family]) -> String {
        families.map(text).joined()
    }

    private static func text(of family: ScrapedMetrics.Family) -> String {
        let entry = MetricCatalog.entry(family.label)
        let word = entry.name ?? word(family.label)
        switch family.kind {
        case .counter:
            return header("\(word)_total", entry.help, "counter") + samples("\(word)_total", family)
        case .gauge:
            return header(word, entry.help, "gauge") + samples(word, family)
        case .histogram:
            return header(word, entry.help, "histogram") + buckets(word, family)
        case .durations:
            return header("\(word)_seconds", entry.help, "histogram") + buckets("\(word)_seconds", family)
        }
    }

    private static func header(_ name: String, _ help: String, _ type: String) -> String {
        "# HELP \(name) \(escaped(help))\n# TYPE \(name) \(type)\n"
    }

    private static func samples(_ name: String, _ family: ScrapedMetrics.Family) -> String {
        family.numbers
            .map { "\(name)\(labels($0.id)) \(number($0.number.value))\n" }
            .sorted()
            .joined()
    }

    private static func buckets(_ name: String, _ family: ScrapedMetrics.Family) -> String {
        family.histograms
            .map { id, histogram in (labels: labels(id), text: text(of: histogram, name, id)) }
            .sorted { $0.labels < $1.labels }
            .map(\.text)
            .joined()
    }

    private static func text(of histogram: ScrapedHistogram, _ name: String, _ id: MetricID) -> String {
        let state = histogram.state
        var text = ""
        var sum = 0
        for (bound, count) in zip(histogram.bounds, state.counts) {
            sum += count
            text += "\(name)_bucket\(labels(id, le: number(bound))) \(sum)\n"
        }
        text += "\(name)_bucket\(labels(id, le: "+Inf")) \(state.count)\n"
        text += "\(name)_sum\(labels(id)) \(number(state.sum))\n"
        text += "\(name)_count\(labels(id)) \(state.count)\n"
        return text
    }

    private static func labels(_ id: MetricID, le bound: String? = nil) -> String {
        var labels = id.dimensions.map { "\(word($0.name))=\"\(escaped($0.value, quotes: true))\"" }
        if let bound { labels.append("le=\"\(bound)\"") }
        return labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
    }

    private static func number(_ value: Double) -> String {
        Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    /// Replaces the dots of OpenTelemetry's names, and other characters that Prometheus does not allow.
    private static func word(_ text: String) -> String {
        String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    private static func escaped(_ text: String, quotes: Bool = false) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\n", with: "\\n")
        return quotes ? escaped.replacing("\"", with: "\\\"") : escaped
    }
}
