// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// The folder of a private database server, and its process while it runs.
final class PrivateServer: Sendable {
    let folder: URL
    private let name: String
    private let process: Mutex<GuardedProcess?> = Mutex(nil)

    /// - Parameter name: The name of the server, for messages.
    init(_ name: String, in folder: URL) {
        self.name = name
        self.folder = folder
    }

    /// Returns a path for a folder that does not exist. It is short, because the path of a socket is limited to about 100
    /// bytes.
    static func makePath(_ name: String) -> URL {
        URL(fileURLWithPath: "/tmp/link-\(name)-\(UInt32.random(in: 0 ... .max))")
    }

    /// Starts a program, and returns when the server answers.
    func start(_ program: String, _ arguments: [String], until answers: () async -> Bool) async throws {
        let process = try await GuardedProcess(program, arguments, log: folder.appendingPathComponent("log"))
        self.process.withLock { $0 = process }
        do {
            try await eventually("\(name) answers") { await answers() }
        } catch {
            throw GuardedProcess.Failure("\(error); it said: \(process.output)")
        }
    }

    /// Returns the process, which the caller ends.
    func takeProcess() -> GuardedProcess? {
        process.withLock { process in
            defer { process = nil }
            return process
        }
    }

    func removeFolder() {
        try? FileManager.default.removeItem(at: folder)
    }
}
