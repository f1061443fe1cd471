// SPDX-License-Identifier: Apache-2.0

import Testing

@testable import BurstPool

/// The time limits of the strategy's calls.
struct OperationTimerTests {
    private let passed = Shared<[UInt64]>([])

    private func operation(until deadline: UInt64) -> TimedOperation {
        TimedOperation(deadline: deadline) { [passed] in passed.change { $0.append(deadline) } }
    }

    @Test("When one time limit passes, the later limits of other operations stay")
    func laterLimits() {
        let timer = OperationTimer()
        let first = ExchangeBox<TimedOperation>()
        let second = ExchangeBox<TimedOperation>()
        timer.begin(operation(until: 20), in: second)
        timer.begin(operation(until: 10), in: first)
        #expect(timer.nextMoment == 10)
        for (moment, expected, next) in [(9, [], 10), (10, [10], 20), (19, [10], 20), (20, [10, 20], .max)]
            as [(UInt64, [UInt64], UInt64)]
        {
            timer.expire(now: moment) { visit in
                visit(first)
                visit(second)
            }
            #expect(passed.value == expected, "at \(moment)")
            #expect(timer.nextMoment == next, "at \(moment)")
        }
    }

    @Test("An operation ends in time or exceeds its limit, and never both")
    func endsOnce() {
        let timer = OperationTimer()
        let box = ExchangeBox<TimedOperation>()
        let inTime = operation(until: 10)
        timer.begin(inTime, in: box)
        let endedInTime = timer.end(inTime, in: box)
        #expect(endedInTime)
        let late = operation(until: 15)
        timer.begin(late, in: box)
        timer.expire(now: 15) { $0(box) }
        #expect(passed.value == [15])
        let lateEndedInTime = timer.end(late, in: box)
        #expect(!lateEndedInTime)
    }

    @Test("An operation without a limit never exceeds it")
    func unlimited() {
        let timer = OperationTimer()
        let box = ExchangeBox<TimedOperation>()
        let unlimited = operation(until: .max)
        timer.begin(unlimited, in: box)
        #expect(timer.nextMoment == .max)
        timer.expire(now: .max) { $0(box) }
        let endedInTime = timer.end(unlimited, in: box)
        #expect(endedInTime)
        #expect(passed.value.isEmpty)
    }
}
