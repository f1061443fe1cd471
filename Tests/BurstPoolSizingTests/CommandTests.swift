// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation
import Testing

@testable import BurstPoolSize
@testable import BurstPoolSizing

#if canImport(FoundationXML)
    import FoundationXML
#endif

@Suite("burst-pool-size", .timeLimit(.minutes(1)))
struct CommandTests {
    private static let usual = ["--rate", "400", "--use", "5ms", "--connect", "20ms", "--callers", "5000"]

    private func message(_ arguments: [String]) -> String? {
        do {
            let command = try BurstPoolSize.parse(arguments)
            _ = try command.report(recorded: command.workload.map { try WorkloadFile.read($0) })
            return nil
        } catch {
            return BurstPoolSize.message(for: error)
        }
    }

    @Test("Durations are read with their units")
    func durations() throws {
        let expected: [(String, Duration)] = [
            ("5ms", .milliseconds(5)), ("250us", .microseconds(250)), ("250µs", .microseconds(250)),
            ("1.5s", .milliseconds(1500)), ("2 min", .seconds(120)), ("1h", .seconds(3600)), ("0s", .zero),
            ("10ns", .nanoseconds(10)),
        ]
        for (text, duration) in expected {
            #expect(isNear(try ArgumentValues.duration(text) / .seconds(1), duration / .seconds(1), within: 1e-9))
        }
    }

    @Test(
        "Durations without a unit, with an unknown one, or out of range are errors that say what to write",
        arguments: [
            ("5", "no unit"), ("5 days", "unknown unit"), ("ms", "not a duration"), ("", "not a duration"),
            ("-1s", "out of range"), ("2h", "out of range"), ("1,5s", "not a duration"), ("1e400s", "no"),
            ("nan", "not a duration"), ("٣s", "not a duration"),
        ]
    )
    func badDurations(text: String, reason: String) {
        let error = #expect(throws: SizeFailure.self) { try ArgumentValues.duration(text) }
        #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
    }

    @Test("Lists of sizes are read in order")
    func sizes() throws {
        #expect(try ArgumentValues.sizes("16, 4,8,4") == [4, 8, 16])
        for text in ["", "4,", "0", "-1", "4;8", "99999999999999999999", "20001"] {
            #expect(throws: SizeFailure.self) { try ArgumentValues.sizes(text) }
        }
    }

    @Test(
        "Arguments that make no sense are errors that say what to do",
        arguments: [
            ([], "--rate, --use, --connect is missing"),
            (["--rate", "400", "--use", "5ms"], "--connect is missing"),
            (["--rate", "400", "--use", "5", "--connect", "1ms"], "no unit"),
            (usual + ["--rate", "0"], "rate is 0.0"),
            (usual + ["--rate", "nan"], "rate is nan"),
            (usual + ["--rate", "1e12"], "at most 10 million"),
            (usual + ["--peak-rate", "100"], "at least the usual rate"),
            (usual + ["--use", "0s"], "must be above 0"),
            (usual + ["--burst-every", "1s"], "needs --burst"),
            (usual + ["--burst", "0"], "A burst has 0 callers"),
            (usual + ["--callers", "1"], "at least 1000"),
            (usual + ["--max-concurrent-connects", "0"], "maxConcurrentConnects is 0"),
            (usual + ["--max-size", "none"], "number of connections"),
            (usual + ["--wait", "0s"], "above 0"),
            (["--workload", "/nowhere/at/all.json"], "could not be read"),
        ] as [([String], String)]
    )
    func badArguments(arguments: [String], reason: String) {
        let message = message(arguments)
        #expect(message?.contains(reason) == true, "\(message ?? "no error")")
    }

    @Test("JSON that is not a workload is an error that says why")
    func badWorkloads() {
        for (text, reason) in [
            ("", "not JSON"), ("{}", "has no"), ("[]", "another type"), (#"{"seconds": "1"}"#, "\"seconds\""),
            (
                #"{"seconds":1,"callers":1,"failedCallers":0,"busiestSecond":1,"failedConnects":0,"use":{"buckets":[[100001,1]]}}"#,
                "100001 ns"
            ),
        ] {
            let error = #expect(throws: SizeFailure.self) {
                try WorkloadFile.decode(Data(text.utf8), from: "standard input")
            }
            #expect(error?.description.contains(reason) == true, "\(error?.description ?? "")")
        }
    }

    @Test("A recorded workload gives the rate, the peak and the durations, and options replace parts of it")
    func recorded() throws {
        var use = DurationHistogram()
        use.record(.milliseconds(4))
        let workload = RecordedWorkload(
            seconds: 10,
            callers: 1000,
            failedCallers: 0,
            busiestSecond: 170,
            failedConnects: 0,
            use: use,
            connect: DurationHistogram(),
            wait: DurationHistogram()
        )
        #expect(throws: SizingError.self) { try BurstPoolSize.parse(["--workload", "-"]).settings(recorded: workload) }
        let settings = try BurstPoolSize.parse(["--workload", "-", "--connect", "9ms"]).settings(recorded: workload)
        #expect(settings.load.rate == 100)
        #expect(settings.goal.peakRate == 170)
        #expect(settings.load.use == .recorded(use))
        #expect(settings.load.connect == .exponential(mean: .milliseconds(9)))
        let changed = try BurstPoolSize.parse(["--workload", "-", "--connect", "9ms", "--rate", "50", "--use", "1ms"])
            .settings(recorded: workload)
        #expect(changed.load.rate == 50)
        #expect(changed.goal.peakRate == 100)
        #expect(changed.load.use == .exponential(mean: .milliseconds(1)))
    }

    @Test("The text, the JSON and the picture show the same report")
    func report() throws {
        let arguments =
            Self.usual + ["--max-size", "3,6", "--burst-limit", "6,12", "--burst", "5", "--acquire-timeout", "1s"]
        let report = try BurstPoolSize.parse(arguments).report(recorded: nil)
        // 3 without a burst limit, with 6 and with 12; 6 without one and with 12.
        #expect(report.table.map(\.policy.hardLimit) == [3, 6, 12, 6, 12])

        #expect(report.text.contains("Recommended: \(report.recommendation)"))
        #expect(report.text.contains("5 callers come at the same instant every 1 s"))

        let document = try JSONDecoder().decode(SizeReport.Document.self, from: Data(report.json().utf8))
        #expect(document == SizeReport.Document(report))
        #expect(document.table.count == 5)
        #expect(document.recommendation.policy.maxSize == report.advice.policy.maxSize)
        #expect(document.table[0].wait?.p99 == report.table[0].wait(quantile: 0.99) / .seconds(1))

        let picture = Picture(report).svg()
        #expect(XMLParser(data: Data(picture.utf8)).parse())
        #expect(!picture.contains("nan") && !picture.contains("inf"))
        #expect(
            picture.components(separatedBy: "<polyline").count - 1 == 12,
            "4 curves in 2 panels, and 4 in the legend"
        )
    }

    @Test("Pools that are overloaded have no waits")
    func overloaded() throws {
        let report = try BurstPoolSize.parse(Self.usual + ["--max-size", "1"]).report(recorded: nil)
        #expect(report.text.contains("grows"))
        let document = try JSONDecoder().decode(SizeReport.Document.self, from: Data(report.json().utf8))
        #expect(document.table[0].isOverloaded && document.table[0].wait == nil)
        #expect(XMLParser(data: Data(Picture(report).svg().utf8)).parse())
    }
}
