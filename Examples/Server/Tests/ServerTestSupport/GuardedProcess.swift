// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// A program that ends when this process ends, even if this process crashes.
///
/// It is the child of a small shell script that waits for the end of its standard input, a pipe from this process.
public final class GuardedProcess: Sendable {
    public struct Failure: Error, CustomStringConvertible {
        public let description: String

        public init(_ description: String) {
            self.description = description
        }
    }

    /// The process id of the program, not of the script.
    public let id: pid_t
    /// The file with the standard output and error of the program.
    public let log: URL

    private let script: UncheckedScript
    private let exit: Mutex<Exit>

    /// `Process` is not `Sendable`. After the start it is only kept alive.
    private struct UncheckedScript: @unchecked Sendable {
        let process: Process
        let input: Pipe
    }

    private struct Exit {
        var status: Int32?
        var waiters: [CheckedContinuation<Int32, Never>] = []
    }

    private static let text = """
        log=$1; shift
        exec 3<&0 2> /dev/null
        "$@" > "$log" 2>&1 < /dev/null 3<&- &
        program=$!
        echo $program
        { read -r line <&3; kill -KILL $program; } > /dev/null &
        guard=$!
        wait $program
        status=$?
        kill $guard
        exit $status
        """

    public init(
        _ program: String,
        _ arguments: [String] = [],
        environment: [String: String] = [:],
        log: URL
    ) async throws {
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        process.arguments = ["-c", Self.text, "sh", log.path, program] + arguments
        process.environment = ProcessInfo.processInfo.environment.merging(environment) { $1 }
        process.standardInput = input
        process.standardOutput = output
        let status = AsyncStream.makeStream(of: Int32.self)
        process.terminationHandler = { process in
            status.continuation.yield(process.terminationStatus)
            status.continuation.finish()
        }
        try process.runHearingSignals()
        var line = Data()
        while !line.contains(UInt8(ascii: "\n")) {
            let data = output.fileHandleForReading.availableData
            if data.isEmpty { break }
            line.append(data)
        }
        guard let id = pid_t(String(decoding: line, as: UTF8.self).trimmingCharacters(in: .whitespacesAndNewlines))
        else {
            throw Failure("the script that starts \(program) does not tell its process id")
        }
        self.id = id
        self.log = log
        script = UncheckedScript(process: process, input: input)
        exit = Mutex(Exit())
        Task { [weak self] in
            for await status in status.stream { self?.ended(status) }
        }
    }

    deinit { try? script.input.fileHandleForWriting.close() }

    private func ended(_ status: Int32) {
        let waiters = exit.withLock { exit in
            exit.status = status
            defer { exit.waiters = [] }
            return exit.waiters
        }
        for waiter in waiters { waiter.resume(returning: status) }
    }

    /// Sends a signal unless the program has ended, because another process may then have its id.
    public func send(_ signal: Int32) {
        exit.withLock { exit in
            if exit.status == nil { _ = Foundation.kill(id, signal) }
        }
    }

    /// Waits until the program has ended.
    ///
    /// - Returns: Its exit status, or 128 plus the number of the signal that ended it.
    /// - Throws: ``Failure`` if it does not end in time. It has been killed then.
    public func status(within timeout: Duration = .seconds(120)) async throws -> Int32 {
        let alarm = Task {
            try await Task.sleep(for: timeout)
            send(SIGKILL)
        }
        let status = await withCheckedContinuation { continuation in
            let status: Int32? = exit.withLock { exit in
                if exit.status == nil { exit.waiters.append(continuation) }
                return exit.status
            }
            if let status { continuation.resume(returning: status) }
        }
        alarm.cancel()
        if case .success = await alarm.result { throw Failure("it did not end within \(timeout); it said: \(output)") }
        return status
    }

    /// Kills the program.
    public func kill() async {
        send(SIGKILL)
        _ = try? await status()
    }

    /// The output of the program so far.
    public var output: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }
}
