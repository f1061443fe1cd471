// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The Python package, in a process that waits for work, so that it can alternate with the other contenders.
///
/// Used by one task at a time.
final class PythonPool: @unchecked Sendable {
    static let package = "asyncio-connection-pool==1.1.1"

    struct Answer: Decodable {
        var wall: Double
        var cpu: Double
        var p50: Double?
        var p99: Double?
        var p999: Double?
        var connections: Int?
    }

    private let process: Process
    private let input = Pipe()
    private let output = Pipe()
    private var unread = Data()

    /// Installs the package in a separate folder, if Python and pip are installed.
    static func start(driver: URL, scratch: URL, _ progress: Progress) -> PythonPool? {
        progress.say("Python: installing \(package)")
        let environment = scratch.appending(path: "python")
        let python = environment.appending(path: "bin/python3").path
        do {
            if !FileManager.default.isExecutableFile(atPath: python) {
                try run("/usr/bin/env", "python3", "-m", "venv", environment.path)
            }
            try run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", package)
            return try PythonPool(python: python, driver: driver)
        } catch {
            return nil
        }
    }

    private init(python: String, driver: URL) throws {
        process = Process()
        process.executableURL = URL(filePath: python)
        process.arguments = [driver.path]
        process.standardInput = input
        process.standardOutput = output
        try process.run()
    }

    deinit {
        try? input.fileHandleForWriting.close()
        process.waitUntilExit()
    }

    func ask(_ workload: String, _ operations: Int) throws -> Answer {
        try input.fileHandleForWriting.write(contentsOf: Data("\(workload) \(operations)\n".utf8))
        while true {
            if let end = unread.firstIndex(of: UInt8(ascii: "\n")) {
                let line = unread[unread.startIndex..<end]
                unread = Data(unread[unread.index(after: end)...])
                return try JSONDecoder().decode(Answer.self, from: Data(line))
            }
            let more = output.fileHandleForReading.availableData
            try expect(!more.isEmpty, "the Python driver ended")
            unread.append(more)
        }
    }

    func run(_ workload: String, _ operations: Int) async throws -> Sample {
        let answer = try ask(workload, operations)
        return Sample(wall: answer.wall, cpu: answer.cpu, disturbance: 0)
    }

    private static func run(_ executable: String, _ arguments: String...) throws {
        let process = Process()
        process.executableURL = URL(filePath: executable)
        process.arguments = arguments
        process.standardOutput = FileHandle.nullDevice
        process.standardError = FileHandle.nullDevice
        try process.run()
        process.waitUntilExit()
        try expect(process.terminationStatus == 0, "\(arguments.joined(separator: " ")) failed")
    }
}
