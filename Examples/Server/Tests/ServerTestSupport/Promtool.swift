// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Prometheus's `promtool check metrics`.
public enum Promtool {
    public static var isInstalled: Bool { path != nil }

    private static var path: String? {
        ["/usr/bin/promtool", "/usr/local/bin/promtool", "/opt/homebrew/bin/promtool"]
            .first { FileManager.default.isExecutableFile(atPath: $0) }
    }

    /// Returns the complaints about a text of metrics. The text is empty if there are none.
    public static func check(_ metrics: String) async throws -> String {
        let folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "promtool-\(UInt32.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let file = folder.appendingPathComponent("metrics")
        try Data(metrics.utf8).write(to: file)
        let process = try await GuardedProcess(
            "/bin/sh",
            ["-c", "\(path ?? "promtool") check metrics < '\(file.path)'"],
            log: folder.appendingPathComponent("log")
        )
        let status = try await process.status()
        return process.output + (status == 0 ? "" : "exit status \(status)")
    }
}
