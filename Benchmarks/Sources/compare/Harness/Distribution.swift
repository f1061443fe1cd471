// SPDX-License-Identifier: Apache-2.0

/// Many measurements of one quantity.
struct Distribution: Sendable {
    /// In ascending order.
    let values: [Double]

    init(_ values: some Sequence<Double>) {
        self.values = values.filter { $0.isFinite }.sorted()
    }

    var median: Double { quantile(0.5) }
    var lowerQuartile: Double { quantile(0.25) }
    var upperQuartile: Double { quantile(0.75) }

    /// The distance between the quartiles, as a share of the median.
    var spread: Double {
        median == 0 ? 0 : (upperQuartile - lowerQuartile) / median
    }

    /// Returns a quantile, linear between neighbours, or NaN without measurements.
    func quantile(_ share: Double) -> Double {
        guard let last = values.last else { return .nan }
        let position = share * Double(values.count - 1)
        let index = Int(position)
        guard index + 1 < values.count else { return last }
        return values[index] + (values[index + 1] - values[index]) * (position - Double(index))
    }
}
