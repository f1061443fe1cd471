import CBenchmarkSupport

/// What one run of a contender took, in nanoseconds per operation.
struct Sample: Sendable {
    var wall: Double
    /// Of all threads of the process.
    var cpu: Double
    /// For how long threads of the process were kept waiting for a CPU by other programs, as a share of the time.
    var disturbance: Double

    /// Runs an operation so many times. Other threads of the process are idle, or part of what is measured.
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

/// By which clock things are compared.
enum Clock: String, Sendable, Codable {
    /// The time on the wall: what counts in the end, and what other programs disturb.
    case wall
    /// The time that the CPUs worked for this process: not disturbed by others, but blind to waiting.
    case cpu = "CPU"
}
