// SPDX-License-Identifier: Apache-2.0

/// Identifies a metric by its swift-metrics label and dimensions.
struct MetricID: Hashable, Sendable {
    struct Dimension: Hashable, Sendable {
        let name: String
        let value: String
    }

    let label: String
    let dimensions: [Dimension]

    init(_ label: String, _ dimensions: [(String, String)]) {
        self.label = label
        self.dimensions = dimensions.map { Dimension(name: $0.0, value: $0.1) }
    }
}
