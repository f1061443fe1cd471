/// Puts what the samples show into words: phases, bursts, and the limit.
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
            note("\(phase.name): \(context.schedule.tasks(in: phase)) tasks at work")
        }
        mostWaiting = max(mostWaiting, sample.waiting)
        if sample.total > maxSize, !isBursting {
            isBursting = true
            note("bursting: \(sample.total) connections, maxSize is \(maxSize)")
        } else if sample.total <= maxSize, isBursting {
            isBursting = false
            hasReachedLimit = false
            note("back to \(sample.total) connections; \(mostWaiting) callers had to wait at once")
            mostWaiting = 0
        }
        if sample.total >= hardLimit, sample.waiting > 0, !hasReachedLimit, hardLimit > maxSize {
            hasReachedLimit = true
            note("at the burst limit of \(hardLimit): callers wait for their turn")
        }
    }
}
