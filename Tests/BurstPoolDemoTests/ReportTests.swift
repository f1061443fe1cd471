// SPDX-License-Identifier: Apache-2.0

import Foundation
import Testing

@testable import BurstPoolDemo

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("The report", .timeLimit(.minutes(5)))
struct ReportTests {
    private func sample(_ milliseconds: Int, total: Int, commands: Int) -> Sample {
        Sample(
            time: .milliseconds(milliseconds),
            idle: 0,
            inUse: total,
            opening: 0,
            closing: 0,
            waiting: total,
            commands: commands,
            errors: 0,
            opened: 0,
            closed: 0,
            killed: milliseconds / 1_000
        )
    }

    private func timeline(count: Int) -> Timeline {
        var timeline = Timeline()
        for number in 0..<count {
            timeline.append(sample(number * 20, total: number % 24, commands: number * 10))
        }
        return timeline
    }

    @Test("the time of a burst is the time of the samples above maxSize")
    func bursting() {
        var timeline = Timeline()
        for (time, total) in [(0, 1), (20, 9), (40, 9), (100, 8), (120, 9)] {
            timeline.append(sample(time, total: total, commands: 0))
        }
        #expect(timeline.timeBursting(maxSize: 8) == .milliseconds(80))
        #expect(timeline.peakTotal == 9)
    }

    @Test("throughput is per second")
    func throughput() {
        #expect(abs(timeline(count: 100).throughput() - 500) < 1e-6)
        #expect(Timeline().throughput() == 0)
    }

    @Test("the picture is well-formed XML for every length of the run", arguments: [0, 1, 2, 600, 20_000])
    func picture(count: Int) {
        let picture = TimelinePicture(
            timeline: timeline(count: count),
            schedule: Schedule(seconds: 12, tasks: 120, maxSize: 8),
            settings: Summary.Settings(
                server: "<\"Redis\" & co>",
                tasks: 120,
                seconds: 12,
                maxSize: 8,
                burstLimit: 24,
                chaos: true,
                seed: 1
            ),
            killed: 3
        )
        let document = picture.document()
        #expect(XMLParser(data: Data(document.utf8)).parse())
        #expect(!document.contains("nan") && !document.contains("inf"))
        #expect(document.utf8.count < 400_000)
    }

    @Test("axes end at round numbers that are at least the largest value", arguments: [0.3, 1, 24, 26.9, 96, 52_000])
    func axis(greatest: Double) {
        let axis = Axis(to: greatest, ticks: 5)
        #expect(axis.end >= greatest)
        #expect((2...8).contains(axis.ticks.count))
    }

    @Test("numbers and times are formatted")
    func formatting() {
        #expect([0, 999, 1_000, -1_234_567].map(\.grouped) == ["0", "999", "1,000", "-1,234,567"])
        let times: [Duration] = [
            .nanoseconds(340), .microseconds(12), .microseconds(3_400), .milliseconds(47), .seconds(2),
        ]
        #expect(times.map(\.asLatency) == ["0.3 µs", "12 µs", "3.40 ms", "47.0 ms", "2.00 s"])
    }
}
