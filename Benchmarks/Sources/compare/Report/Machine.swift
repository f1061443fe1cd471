// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the results depend on besides the code.
enum Machine {
    static func description(quick: Bool) -> String {
        let cores = ProcessInfo.processInfo.activeProcessorCount
        return "\(processor), \(cores) CPUs, \(system); \(compiler); \(quick ? "quick" : "full") run."
    }

    private static var processor: String {
        let information = (try? String(contentsOfFile: "/proc/cpuinfo", encoding: .utf8)) ?? ""
        let line = information.split(separator: "\n").first { $0.hasPrefix("model name") }
        let name = line?.split(separator: ":").last.map { $0.trimmingCharacters(in: .whitespaces) }
        return name ?? "unknown processor"
    }

    private static var system: String {
        #if os(Linux)
            "Linux"
        #else
            "macOS"
        #endif
    }

    private static var compiler: String {
        #if compiler(>=6.4)
            "Swift 6.4 or later"
        #elseif compiler(>=6.3)
            "Swift 6.3"
        #else
            "Swift 6.2"
        #endif
    }
}
