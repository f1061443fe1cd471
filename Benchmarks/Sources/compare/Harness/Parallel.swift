import CBenchmarkSupport
import Synchronization

/// Runs a body in so many tasks at once, and takes the time from when all have started until all have finished.
func inParallel(
    _ tasks: Int,
    operationsEach: Int,
    _ body: @escaping @Sendable (_ task: Int, _ operations: Int) async throws -> Void
) async throws -> Sample {
    let delayBefore = measure_run_delay()
    let cpuBefore = measure_process_cpu_time()
    let waiting = StartingLine(tasks)
    let (first, last) = try await withThrowingTaskGroup(of: (UInt64, UInt64).self) { group in
        for task in 0..<tasks {
            group.addTask {
                await waiting.allAreHere()
                let start = measure_wall_time()
                try await body(task, operationsEach)
                return (start, measure_wall_time())
            }
        }
        var first = UInt64.max
        var last: UInt64 = 0
        for try await (start, end) in group {
            first = min(first, start)
            last = max(last, end)
        }
        return (first, last)
    }
    let operations = Double(tasks * operationsEach)
    let wall = Double(last - first)
    let delay = measure_run_delay()
    return Sample(
        wall: wall / operations,
        cpu: Double(measure_process_cpu_time() - cpuBefore) / operations,
        disturbance: delay > delayBefore ? Double(delay - delayBefore) / wall : 0
    )
}

/// Where tasks wait for each other, each keeping its thread, so that none is late.
private final class StartingLine: Sendable {
    private let missing: Atomic<Int>

    init(_ count: Int) {
        missing = Atomic(count)
    }

    func allAreHere() async {
        missing.subtract(1, ordering: .acquiringAndReleasing)
        while missing.load(ordering: .acquiring) > 0 { await Task.yield() }
    }
}
