// SPDX-License-Identifier: Apache-2.0

/// Describes phases, bursts and the burst limit in words.
struct Narrator {
    private let context: LoadContext
    private let maxSize: Int
    private let hardLimit: Int
    private var phase: Phase?
    private var isBursting = false
    private var hasReachedLimit = false
    private var mostWaiting = 0

    init(context: LoadContext) {
        self.context = context
        maxSize = context.maxSize
        hardLimit = context.hardLimit
    }

    mutating func follow(_ sample: Sample) {
        func note(_ text: String) { context.journal.note(text, at: sample.time) }

        let phase = context.schedule.phase(at: sample.time)
        if phase != self.phase {
            self.phase = phase
            note("phase \(phase.name): \(context.schedule.tasks(in: phase)) tasks")
        }
        mostWaiting = max(mostWaiting, sample.waiting)
        if sample.total > maxSize, !isBursting {
            isBursting = true
            note("burst began: \(sample.total) connections, maxSize is \(maxSize)")
        } else if sample.total <= maxSize, isBursting {
            isBursting = false
            hasReachedLimit = false
            note("burst ended: \(sample.total) connections; up to \(mostWaiting) callers waited at a time")
            mostWaiting = 0
        }
        if sample.total >= hardLimit, sample.waiting > 0, !hasReachedLimit, hardLimit > maxSize {
            hasReachedLimit = true
            note("burst limit reached: \(hardLimit) connections; further callers wait")
        }
    }
}
