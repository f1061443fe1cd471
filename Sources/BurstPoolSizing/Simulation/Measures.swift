// SPDX-License-Identifier: Apache-2.0

/// What is counted during a simulation, from the moment at which the first measured caller comes until the last one has come.
struct Measures: Sendable {
    private(set) var callers = 0
    private(set) var timedOut = 0
    private(set) var waits: [Double] = []
    private(set) var opened = 0
    private(set) var peakOpen = 0
    /// The integral of the number of connections over time.
    private var openTime = 0.0
    private var began: Double?
    private var last = 0.0
    private var hasEnded = false

    private var isActive: Bool { began != nil && !hasEnded }

    mutating func begin(at now: Double, total: Int) {
        guard began == nil else { return }
        began = now
        last = now
        peakOpen = total
    }

    mutating func end(at now: Double, total: Int) {
        advance(to: now, total: total)
        hasEnded = true
    }

    /// - Parameter total: The number of connections since the last call.
    mutating func advance(to now: Double, total: Int) {
        guard isActive else { return }
        openTime += Double(total) * (now - last)
        last = now
    }

    mutating func noteWait(_ wait: Double, timedOut: Bool = false) {
        callers += 1
        if wait > 0 { waits.append(wait) }
        if timedOut { self.timedOut += 1 }
    }

    mutating func noteOpening(total: Int) {
        guard isActive else { return }
        opened += 1
        peakOpen = max(peakOpen, total)
    }

    /// In seconds.
    var duration: Double { began.map { last - $0 } ?? 0 }

    /// The average number of connections.
    var meanOpen: Double { duration > 0 ? openTime / duration : Double(peakOpen) }
}
