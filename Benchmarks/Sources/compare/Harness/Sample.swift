// SPDX-License-Identifier: Apache-2.0

import CBenchmarkSupport

/// The cost of one run of a contender, in nanoseconds per operation.
struct Sample: Sendable {
    var wall: Double
    /// The CPU time of all threads of the process.
    var cpu: Double
    /// How long threads of the process had to wait for a CPU because of other programs, as a share of the time.
    var disturbance: Double

    /// Measures a number of operations. Other threads of the process are idle, or part of the measurement.
    static func take(operations: Int, _ run: () async throws -> Void) async rethrows -> Sample {
        let delayBefore = measure_run_delay()
        let cpuBefore = measure_process_cpu_time()
        let before = measure_wall_time()
        try await run()
        let wall = measure_wall_time() - before
        let cpu = measure_process_cpu_time() - cpuBefore
        let delay = measure_run_delay()
        return Sample(
            wall: Double(wall) / Double(operations),
            cpu: Double(cpu) / Double(operations),
            disturbance: delay > delayBefore ? Double(delay - delayBefore) / Double(max(wall, 1)) : 0
        )
    }
}

/// The clock of a comparison.
enum Clock: String, Sendable, Codable {
    /// Wall time, which matters in the end, but which other programs disturb.
    case wall
    /// CPU time of this process, which other programs do not disturb, but which does not include waiting.
    case cpu = "CPU"
}
