// SPDX-License-Identifier: Apache-2.0

import BurstPoolDatadog
import Foundation
import Synchronization
import Testing

/// A Python program in the folder `Receiver` that reads and prints lines.
final class PythonProcess: Sendable {
    enum Interpreter {
        /// The interpreter of the system.
        case system
        /// The interpreter with the packages that `Receiver/install` installs.
        case withPackages
    }

    struct NotInstalled: Error, CustomStringConvertible {
        let path: String
        var description: String {
            "\(path) does not exist. Install Debian's python3-venv and run Tests/BurstPoolDatadogTests/Receiver/install."
        }
    }

    private let process: Process
    private let input: FileHandle
    private let output = Mutex<[String]>([])

    private static let folder = URL(filePath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
        .appending(path: "Receiver")

    init(_ interpreter: Interpreter, _ program: String, _ arguments: String...) throws {
        process = Process()
        let script = Self.folder.appending(path: program).path
        switch interpreter {
        case .system:
            process.executableURL = URL(filePath: "/usr/bin/env")
            process.arguments = ["python3", script] + arguments
        case .withPackages:
            let python = Self.folder.appending(path: "../../../.build/dogstatsd-receiver/bin/python").standardized
            guard FileManager.default.isExecutableFile(atPath: python.path) else {
                throw NotInstalled(path: python.path)
            }
            process.executableURL = python
            process.arguments = [script] + arguments
        }
        let (input, output) = (Pipe(), Pipe())
        process.standardInput = input
        process.standardOutput = output
        self.input = input.fileHandleForWriting
        try process.run()
        Thread.detachNewThread { [weak self] in Self.read(output.fileHandleForReading) { self?.append($0) } }
    }

    /// Closes the input of the program, which ends it.
    deinit { try? input.close() }

    func write(_ line: String) throws { try input.write(contentsOf: Data("\(line)\n".utf8)) }

    /// Ends the program, and waits for it.
    func finish() async throws -> Int32 {
        try input.close()
        try await eventually("the program ends") { !process.isRunning }
        return process.terminationStatus
    }

    /// Waits until the program has printed a number of lines or a line that ends the output, or has ended, and returns the
    /// lines.
    func lines(_ count: Int, orUntil isLast: (String) -> Bool = { _ in false }) async throws -> [String] {
        try await eventually("\(count) lines are printed") {
            output.withLock { $0.count >= count || $0.contains(where: isLast) } || !process.isRunning
        }
        return output.withLock { lines in
            defer { lines = [] }
            return lines
        }
    }

    private func append(_ line: String) { output.withLock { $0.append(line) } }

    private static func read(_ handle: FileHandle, line: (String) -> Void) {
        var rest = Data()
        while case let data = handle.availableData, !data.isEmpty {
            rest += data
            while let end = rest.firstIndex(of: UInt8(ascii: "\n")) {
                line(String(decoding: rest[..<end], as: UTF8.self))
                rest = Data(rest[(end + 1)...])
            }
        }
    }
}

/// A message as the Python receiver parsed it.
struct ReadMessage: Decodable, Equatable {
    var kind: String?
    var name: String?
    var values: [Double]?
    var member: String?
    var sampleRate: Double?
    var tags: [String]?
    var containerID: String?
    var externalData: String?
    var timestamp: Int?
    var title: String?
    var text: String?
    var hostname: String?
    var aggregationKey: String?
    var priority: String?
    var sourceType: String?
    var alertType: String?
    var status: Int?
    var message: String?
    /// The problem with an invalid datagram, and the datagram.
    var error: String?
    var datagram: String?
}

/// A Python receiver and its address.
struct PythonReceiver {
    let process: PythonProcess
    let address: DogStatsDAddress

    enum Reader: String {
        case grammar, independent
    }

    /// - Parameter path: The path of a unix socket, or `nil` for UDP.
    init(_ reader: Reader, path: String? = nil) async throws {
        process = try PythonProcess(
            reader == .independent ? .withPackages : .system,
            "receiver.py",
            reader.rawValue,
            path ?? "udp"
        )
        struct Listening: Decodable { var port: Int }
        let first = try #require(try await process.lines(1).first, "the receiver did not start")
        let port = try JSONDecoder().decode(Listening.self, from: Data(first.utf8)).port
        address = path.map { .unixSocket(path: $0) } ?? .udp(host: "127.0.0.1", port: port)
    }

    /// Waits for a number of messages or for an invalid datagram.
    func messages(_ count: Int) async throws -> [ReadMessage] {
        try await process.lines(count) { $0.hasPrefix(#"{"error""#) }.map {
            try JSONDecoder().decode(ReadMessage.self, from: Data($0.utf8))
        }
    }
}
