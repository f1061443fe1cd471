// SPDX-License-Identifier: Apache-2.0

/// A chart of measurements.
struct Chart: Sendable {
    struct Bar: Sendable {
        var label: String
        var value: Distribution
        var isOurs = false
    }

    struct Line: Sendable {
        var label: String
        var points: [(x: Double, value: Distribution)]
        var isOurs = false
    }

    enum Content: Sendable {
        case bars([Bar])
        /// Lines over a logarithmic x axis.
        case lines([Line], xLabel: String)
    }

    /// The name of the file, without its extension.
    var name: String
    var title: String
    var yLabel: String
    var content: Content
}
