// SPDX-License-Identifier: Apache-2.0

import Foundation

extension Report {
    /// Returns all measurements as JSON, for programs.
    func json(machine: String) throws -> Data {
        let encoder = JSONEncoder()
        encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
        return try encoder.encode(Document(machine: machine, report: self))
    }
}

private struct Document: Encodable {
    struct Summary: Encodable {
        var median: Double?
        var lowerQuartile: Double?
        var upperQuartile: Double?
        var count: Int

        init(_ distribution: Distribution) {
            count = distribution.values.count
            guard count > 0 else { return }
            median = distribution.median
            lowerQuartile = distribution.lowerQuartile
            upperQuartile = distribution.upperQuartile
        }
    }

    struct Row: Encodable {
        var workload: String
        var contender: String
        var wallNanoseconds: Summary
        var cpuNanoseconds: Summary
        var ratio: Summary?
        var reference: String?
        var allocations: Double?
    }

    struct Figure: Encodable {
        var workload: String
        var measure: String
        var value: Summary
        var must: Double
        var aim: Double
        var lessIsBetter: Bool
        var meetsMust: Bool
        var meetsAim: Bool
    }

    var machine: String
    var figures: [Figure]
    var rows: [Row]
    var notes: [String]

    init(machine: String, report: Report) {
        self.machine = machine
        figures = report.figures.map {
            Figure(
                workload: $0.workload,
                measure: $0.measure,
                value: Summary($0.value),
                must: $0.must,
                aim: $0.aim,
                lessIsBetter: $0.better == .less,
                meetsMust: $0.meets($0.must),
                meetsAim: $0.meets($0.aim)
            )
        }
        rows = report.rows.map {
            Row(
                workload: $0.workload,
                contender: $0.contender,
                wallNanoseconds: Summary($0.wall),
                cpuNanoseconds: Summary($0.cpu),
                ratio: $0.ratio.map(Summary.init),
                reference: $0.reference,
                allocations: $0.allocations
            )
        }
        notes = report.notes
    }
}
