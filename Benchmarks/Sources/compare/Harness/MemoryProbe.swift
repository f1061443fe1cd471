// SPDX-License-Identifier: Apache-2.0

import ArgumentParser
import CBenchmarkSupport
import Foundation

/// Measures memory in a separate process, whose memory nothing else has touched.
enum MemoryProbe {
    /// Runs a measurement in a new process.
    static func run(_ name: String, _ arguments: String...) async throws -> [String: Double] {
        let process = Process()
        process.executableURL = URL(filePath: CommandLine.arguments[0])
        #if os(Linux)
            process.executableURL = URL(filePath: "/proc/self/exe").resolvingSymlinksInPath()
        #endif
        process.arguments = ["memory", name] + arguments
        let output = Pipe()
        process.standardOutput = output
        try process.run()
        let data = try output.fileHandleForReading.readToEnd() ?? Data()
        process.waitUntilExit()
        try expect(process.terminationStatus == 0, "the measurement of memory '\(name)' failed")
        return try JSONDecoder().decode([String: Double].self, from: data)
    }

    /// Returns by how many bytes a body changes the memory of the process.
    static func growth(_ body: () throws -> Void) rethrows -> Double {
        let before = measure_resident_memory()
        try body()
        return Double(measure_resident_memory()) - Double(before)
    }
}

/// The part that runs in the new process.
struct Memory: AsyncParsableCommand {
    static let configuration = CommandConfiguration(commandName: "memory", shouldDisplay: false)

    @Argument var name: String
    @Argument var core = "CK"

    func run() async throws {
        let result: [String: Double] =
            switch name {
            case "slots": try slots(100_000)
            case "waiters": try waiters(1_000_000)
            case "core-churn": try CoreStorm.churn()
            case "core-at-once": try CoreStorm.atOnce()
            case "storm": try await Storm.run(on: core, doomed: Storm.doomed)
            case "calm": try await Storm.run(on: core, doomed: 0)
            default: throw ValidationError("there is no measurement '\(name)'")
            }
        FileHandle.standardOutput.write(try JSONEncoder().encode(result))
    }

    private func slots(_ count: Int) throws -> [String: Double] {
        var pool: Pointer?
        let growth = MemoryProbe.growth { pool = Pointer(core_pool_create(UInt32(count), 0)) }
        guard let pool else { return [:] }
        return ["bytes": growth / Double(count), "reserved": Double(bp_pool_memory(pool.value)) / Double(count)]
    }

    private func waiters(_ count: Int) throws -> [String: Double] {
        let pool = Pointer(core_pool_create(8, 0))
        var tickets = Array(repeating: bp_ticket(value: 1), count: count)
        let growth = try MemoryProbe.growth {
            try expect(core_pool_join(pool.value, &tickets, UInt64(count), 1_000_000_000))
        }
        return ["bytes": growth / Double(count), "reserved": Double(bp_pool_memory(pool.value)) / Double(count)]
    }
}
