import Foundation

/// An axis from 0, with ticks at round numbers.
struct Axis {
    let ticks: [Double]
    private let step: Double

    /// The last tick, which is not below the greatest value.
    var end: Double { ticks.last ?? 1 }

    /// - Parameter count: About how many ticks there should be.
    init(to greatest: Double, ticks count: Int) {
        let rough = max(greatest, 1e-9) / Double(count)
        let magnitude = pow(10, floor(log10(rough)))
        let step = [1, 2, 5, 10].map { $0 * magnitude }.first { $0 >= rough * 0.999 } ?? rough
        self.step = step
        ticks = (0...Int((greatest / step).rounded(.up))).map { Double($0) * step }
    }

    func label(_ tick: Double) -> String {
        step >= 1 ? Int(tick.rounded()).grouped : String(format: "%.\(Int(ceil(-log10(step))))f", tick)
    }
}
