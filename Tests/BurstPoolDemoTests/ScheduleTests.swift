// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPoolDemo

@Suite("The schedule of the load", .timeLimit(.minutes(5)))
struct ScheduleTests {
    @Test(
        "all tasks work in the middle of the spike, and outside it at most as many as the pool keeps connections",
        arguments: [(tasks: 1, maxSize: 1), (120, 8), (500, 1), (3, 100)]
    )
    func levels(tasks: Int, maxSize: Int) {
        let schedule = Schedule(seconds: 12, tasks: tasks, maxSize: maxSize)
        func working(_ seconds: Double) -> Int {
            (0..<tasks).count { task in
                schedule.windows(ofTask: task).contains { $0.contains(.seconds(seconds)) }
            }
        }
        #expect(working(5) == tasks)
        #expect(working(1) == schedule.tasks(in: .steady) && working(1) <= maxSize && working(1) >= 1)
        #expect(working(11) == schedule.tasks(in: .calm) && working(11) <= maxSize && working(11) >= 1)
    }

    @Test("the working times of a task are in order and do not overlap")
    func windows() {
        let schedule = Schedule(seconds: 2, tasks: 100, maxSize: 8)
        for task in 0..<100 {
            let windows = schedule.windows(ofTask: task)
            for (window, next) in zip(windows, windows.dropFirst()) { #expect(window.upperBound < next.lowerBound) }
            #expect(windows.allSatisfy { $0.upperBound <= schedule.length })
        }
    }

    @Test("every time has a phase, including times before the start and after the end")
    func phases() {
        let schedule = Schedule(seconds: 10, tasks: 10, maxSize: 2)
        #expect(schedule.phase(at: .seconds(-1)) == .steady)
        #expect(schedule.phase(at: .seconds(4)) == .spike)
        #expect(schedule.phase(at: .seconds(100)) == .calm)
    }
}
