// SPDX-License-Identifier: Apache-2.0

extension Duration {
    /// The duration in seconds.
    package var inSeconds: Double { self / .seconds(1) }

    /// The duration in nanoseconds, rounded down; 0 if it is negative.
    var wholeNanoseconds: UInt64 {
        guard self > .zero else { return 0 }
        let (seconds, attoseconds) = components
        let (product, overflows) = UInt64(seconds).multipliedReportingOverflow(by: 1_000_000_000)
        return overflows ? .max : product.addingReportingOverflow(UInt64(attoseconds / 1_000_000_000)).partialValue
    }
}
