// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A part of the comparison that can run alone.
struct Workload: Sendable {
    var name: String
    var run: @Sendable (inout Report, Settings) async throws -> Void

    static let all: [Workload] = [
        Workload(name: "W1", run: LeaseWorkload.run),
        Workload(name: "W2", run: ParallelWorkload.run),
        Workload(name: "W3", run: ContendedWorkload.run),
        Workload(name: "W4", run: BurstWorkload.run),
        Workload(name: "W5", run: StormWorkload.run),
        Workload(name: "W6", run: RedisWorkload.run),
        Workload(name: "W7", run: SpikeWorkload.run),
        Workload(name: "W8", run: GrowthWorkload.run),
        Workload(name: "W9", run: ActorWorkload.run),
    ]
}

struct Settings: Sendable {
    var isQuick: Bool
    var progress: Progress
    var python: PythonPool?
    /// The folder for intermediate files.
    var scratch: URL

    /// Returns the time for a contest: this number of seconds in a quick run, four times that otherwise.
    func budget(seconds: Double) -> Duration {
        .seconds(isQuick ? seconds : seconds * 4)
    }
}
