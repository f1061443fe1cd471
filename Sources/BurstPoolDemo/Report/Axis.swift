// SPDX-License-Identifier: Apache-2.0

import Foundation

/// An axis that starts at 0 and has ticks at round numbers.
struct Axis {
    let ticks: [Double]
    private let step: Double

    /// The last tick, which is at least the largest value.
    var end: Double { ticks.last ?? 1 }

    /// - Parameter count: The approximate number of ticks.
    init(to largest: Double, ticks count: Int) {
        let rough = max(largest, 1e-9) / Double(count)
        let magnitude = pow(10, floor(log10(rough)))
        let step = [1, 2, 5, 10].map { $0 * magnitude }.first { $0 >= rough * 0.999 } ?? rough
        self.step = step
        ticks = (0...Int((largest / step).rounded(.up))).map { Double($0) * step }
    }

    func label(_ tick: Double) -> String {
        step >= 1 ? Int(tick.rounded()).grouped : String(format: "%.\(Int(ceil(-log10(step))))f", tick)
    }
}
