/// Which task is at work when.
///
/// In the spike the tasks come one after another during the first fifth, and go so during the last.
struct Schedule: Sendable {
    let length: Duration
    let tasks: Int
    private let maxSize: Int

    init(seconds: Double, tasks: Int, maxSize: Int) {
        length = .seconds(seconds)
        self.tasks = tasks
        self.maxSize = maxSize
    }

    func span(of phase: Phase) -> Range<Duration> {
        let (spike, calm) = (length * 0.25, length * 0.65)
        return switch phase {
        case .steady: .zero..<spike
        case .spike: spike..<calm
        case .calm: calm..<length
        }
    }

    /// The phase at a moment; before the first it is the first, after the last the last.
    func phase(at time: Duration) -> Phase {
        Phase.allCases.last { span(of: $0).lowerBound <= time } ?? .steady
    }

    /// How many tasks are at work in a phase.
    ///
    /// Fewer than `maxSize` outside the spike: only the spike can then make the pool burst.
    func tasks(in phase: Phase) -> Int {
        switch phase {
        case .steady: min(tasks, maxSize - maxSize / 4)
        case .spike: tasks
        case .calm: min(tasks, (maxSize + 2) / 3)
        }
    }

    /// How long a task thinks between two requests, on average.
    func thinkingTime(in phase: Phase) -> Duration {
        switch phase {
        case .steady: .microseconds(700)
        case .spike: .zero
        case .calm: .milliseconds(2)
        }
    }

    /// When a task is at work, in order.
    func windows(ofTask number: Int) -> [Range<Duration>] {
        var windows: [Range<Duration>] = []
        for phase in Phase.allCases where number < tasks(in: phase) {
            var window = span(of: phase)
            let isPassing = number >= tasks(in: .steady)
            if phase == .spike, isPassing {
                let ramp = (window.upperBound - window.lowerBound) * 0.2
                let share = Double(number) / Double(tasks)
                // First in, last out.
                window = (window.lowerBound + ramp * share)..<(window.upperBound - ramp * share)
            }
            if let last = windows.last, last.upperBound == window.lowerBound {
                windows[windows.count - 1] = last.lowerBound..<window.upperBound
            } else {
                windows.append(window)
            }
        }
        return windows
    }
}
