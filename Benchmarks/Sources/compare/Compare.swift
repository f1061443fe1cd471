// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import Foundation

@main
struct Compare: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Runs the same workloads on BurstPool and on other pools, in alternation, and compares them.",
        discussion: """
            Prints a table, and writes it to the output folder as Markdown and JSON, with charts as SVG. Benchmarks/README.md \
            describes the workloads.
            """,
        subcommands: [Memory.self]
    )

    @Flag(help: "Spend less time on each workload: 3 minutes for all.")
    var quick = false

    @Option(help: ArgumentHelp("Run only these workloads, separated by commas.", valueName: "W1,W8"))
    var only: String?

    @Option(help: "The folder for the results.")
    var output = "Results"

    @Flag(help: "Do not measure the Python package.")
    var skipPython = false

    func run() async throws {
        let workloads = try chosenWorkloads()
        let progress = Progress()
        let scratch = URL(filePath: ".build")
        let driver = URL(filePath: "Python/driver.py")
        let settings = Settings(
            isQuick: quick,
            progress: progress,
            python: skipPython ? nil : PythonPool.start(driver: driver, scratch: scratch, progress),
            scratch: scratch
        )
        var report = Report()
        if settings.python == nil, !skipPython {
            report.notes.append(
                "The Python package was not measured, because Python or pip is missing, or the package could not be installed."
            )
        }
        for workload in workloads {
            try await workload.run(&report, settings)
        }
        progress.finish()
        try write(report)
    }

    private func chosenWorkloads() throws -> [Workload] {
        guard let only else { return Workload.all }
        let names = only.split(separator: ",").map { $0.trimmingCharacters(in: .whitespaces).uppercased() }
        if let unknown = names.first(where: { name in !Workload.all.contains { $0.name == name } }) {
            let known = Workload.all.map(\.name).joined(separator: ", ")
            throw ValidationError("there is no workload '\(unknown)'; there are \(known)")
        }
        return Workload.all.filter { names.contains($0.name) }
    }

    private func write(_ report: Report) throws {
        let folder = URL(filePath: output)
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let machine = Machine.description(quick: quick)
        let markdown = report.markdown(machine: machine)
        try Data(markdown.utf8).write(to: folder.appending(path: "results.md"))
        try report.json(machine: machine).write(to: folder.appending(path: "results.json"))
        for chart in report.charts {
            try Data(chart.svg().utf8).write(to: folder.appending(path: chart.name + ".svg"))
        }
        print(markdown)
        print("Written to \(folder.path): results.md, results.json, \(report.charts.count) charts.")
    }
}
