// SPDX-License-Identifier: Apache-2.0

import CBenchmarkSupport
import Foundation
import Synchronization

/// Runs a body in several tasks at the same time, and measures from when all have started until all have finished.
func inParallel(
    _ tasks: Int,
    operationsEach: Int,
    _ body: @escaping @Sendable (_ task: Int, _ operations: Int) async throws -> Void
) async throws -> Sample {
    let line = StartingLine(tasks)
    let (first, last) = try await withThrowingTaskGroup(of: (UInt64, UInt64).self) { group in
        for task in 0..<tasks {
            group.addTask {
                await line.allAreHere(task)
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
    let cpu = measure_process_cpu_time()
    let delay = measure_run_delay()
    let operations = Double(tasks * operationsEach)
    let wall = Double(last - first)
    return Sample(
        wall: wall / operations,
        cpu: Double(cpu - line.cpuTime) / operations,
        disturbance: delay > line.runDelay ? Double(delay - line.runDelay) / wall : 0
    )
}

/// A barrier at which tasks wait for each other.
///
/// There are no more tasks than CPUs, so that they run at the same time: they keep their threads, and each thread is
/// moved to its own CPU, because threads that wake each other may share one for some time. They are not bound to it.
private final class StartingLine: @unchecked Sendable {
    // Unchecked: the last task to arrive writes the fields that are not atomic, before it lets the others continue.
    private(set) var cpuTime: UInt64 = 0
    private(set) var runDelay: UInt64 = 0
    private let coming: Atomic<Int>
    private let moving: Atomic<Int>
    private let isOpen = Atomic(false)
    private let keepsThreads: Bool

    init(_ count: Int) {
        coming = Atomic(count)
        moving = Atomic(count)
        keepsThreads = count <= ProcessInfo.processInfo.activeProcessorCount
    }

    func allAreHere(_ task: Int) async {
        coming.subtract(1, ordering: .acquiringAndReleasing)
        while coming.load(ordering: .acquiring) > 0 { await Task.yield() }
        if keepsThreads { measure_move_to_processor(UInt32(task)) }
        if moving.subtract(1, ordering: .acquiringAndReleasing).newValue == 0 {
            runDelay = measure_run_delay()
            cpuTime = measure_process_cpu_time()
            isOpen.store(true, ordering: .releasing)
        } else if keepsThreads {
            while !isOpen.load(ordering: .acquiring) {}
        } else {
            while !isOpen.load(ordering: .acquiring) { await Task.yield() }
        }
    }
}
