// SPDX-License-Identifier: Apache-2.0

/// The times at which each task works.
///
/// In the spike, the tasks start one after another during the first fifth, and stop one after another during the last fifth.
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

    /// Returns the phase at a time. Times outside the run belong to the first or the last phase.
    func phase(at time: Duration) -> Phase {
        Phase.allCases.last { span(of: $0).lowerBound <= time } ?? .steady
    }

    /// Returns the number of tasks that work in a phase.
    ///
    /// Outside the spike it is less than `maxSize`, so that only the spike makes the pool burst.
    func tasks(in phase: Phase) -> Int {
        switch phase {
        case .steady: min(tasks, maxSize - maxSize / 4)
        case .spike: tasks
        case .calm: min(tasks, (maxSize + 2) / 3)
        }
    }

    /// Returns the average pause of a task between two requests.
    func pause(in phase: Phase) -> Duration {
        switch phase {
        case .steady: .microseconds(700)
        case .spike: .zero
        case .calm: .milliseconds(2)
        }
    }

    /// Returns the times at which a task works, in order.
    func windows(ofTask number: Int) -> [Range<Duration>] {
        var windows: [Range<Duration>] = []
        for phase in Phase.allCases where number < tasks(in: phase) {
            var window = span(of: phase)
            let isTemporary = number >= tasks(in: .steady)
            if phase == .spike, isTemporary {
                let ramp = (window.upperBound - window.lowerBound) * 0.2
                let share = Double(number) / Double(tasks)
                // The task that starts first stops last.
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
