import Foundation

/// Prometheus's text format, version 0.0.4.
enum PrometheusText {
    static let contentType = "text/plain; version=0.0.4; charset=utf-8"

    /// - Parameter metrics: Those of the same name side by side.
    static func text(of metrics: [ScrapedMetric]) -> String {
        var text = ""
        var latestName: String?
        for metric in metrics {
            let name = metric.exposedName
            if name != latestName { text += "# TYPE \(name) \(metric.exposedType)\n" }
            latestName = name
            let state = metric.state
            switch metric.name.kind {
            case .counter, .gauge:
                text += "\(name)\(metric.labelText) \(number(state.value))\n"
            case .values, .seconds:
                text += "\(name)_sum\(metric.labelText) \(number(state.value))\n"
                text += "\(name)_count\(metric.labelText) \(state.count)\n"
            }
        }
        return text
    }

    private static func number(_ value: Double) -> String {
        Int(exactly: value).map { "\($0)" } ?? "\(value)"
    }

    /// OpenTelemetry has dots where Prometheus has underscores.
    fileprivate static func word(_ text: String) -> String {
        String(text.map { $0.isASCII && ($0.isLetter || $0.isNumber) ? $0 : "_" })
    }

    fileprivate static func quoted(_ text: String) -> String {
        let escaped = text.replacing("\\", with: "\\\\").replacing("\"", with: "\\\"").replacing("\n", with: "\\n")
        return "\"\(escaped)\""
    }
}

extension ScrapedMetric {
    fileprivate var exposedName: String {
        let word = PrometheusText.word(name.text)
        return switch name.kind {
        case .counter: "\(word)_total"
        case .seconds: "\(word)_seconds"
        case .gauge, .values: word
        }
    }

    fileprivate var exposedType: String {
        switch name.kind {
        case .counter: "counter"
        case .gauge: "gauge"
        // Without quantiles, which cannot be summed up over servers anyway.
        case .values, .seconds: "summary"
        }
    }

    /// The labels as they are written, in braces; empty if there are none.
    var labelText: String {
        if name.labels.isEmpty { return "" }
        let labels = name.labels.map { "\(PrometheusText.word($0.name))=\(PrometheusText.quoted($0.value))" }
        return "{\(labels.joined(separator: ","))}"
    }
}
