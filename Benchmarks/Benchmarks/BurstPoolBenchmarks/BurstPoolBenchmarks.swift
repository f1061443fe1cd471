// SPDX-License-Identifier: Apache-2.0

import Benchmark
import BenchmarkSubjects
import BurstPool
import BurstPoolSwiftCores

let benchmarks: @Sendable () -> Void = {
    Benchmark.defaultConfiguration = .init(
        metrics: [.wallClock, .throughput],
        scalingFactor: .kilo,
        maxDuration: .seconds(2)
    )
    for core in Core.allCases {
        Benchmark("W1 lease and return, \(core.rawValue) core") { benchmark in
            try await core.lease(times: benchmark.scaledIterations.count, by: benchmark)
        }
        Benchmark("W3 64 tasks on 8 connections, \(core.rawValue) core") { benchmark in
            try await core.contend(times: benchmark.scaledIterations.count, by: benchmark)
        }
    }
}

/// The cores that a pool can run on.
private enum Core: String, CaseIterable, Sendable {
    case shipping = "CK"
    case lockFree = "lock-free Swift"
    case locking = "Mutex"

    func lease(times: Int, by benchmark: Benchmark) async throws {
        switch self {
        case .shipping:
            let pool = try ShippingPool(strategy: CountingStrategy(), maxSize: 8)
            try await pool.open(8)
            benchmark.startMeasurement()
            try await Leases.synchronous(pool, times)
        case .lockFree:
            let pool = try LockFreeSwiftPool(strategy: CountingStrategy(), maxSize: 8)
            try await pool.open(8)
            benchmark.startMeasurement()
            try await Leases.synchronous(pool, times)
        case .locking:
            let pool = try MutexPool(strategy: CountingStrategy(), maxSize: 8)
            try await pool.open(8)
            benchmark.startMeasurement()
            try await Leases.synchronous(pool, times)
        }
        benchmark.stopMeasurement()
    }

    func contend(times: Int, by benchmark: Benchmark) async throws {
        let pool: any BenchmarkPool =
            switch self {
            case .shipping: try ShippingPool(strategy: CountingStrategy(), maxSize: 8)
            case .lockFree: try LockFreeSwiftPool(strategy: CountingStrategy(), maxSize: 8)
            case .locking: try MutexPool(strategy: CountingStrategy(), maxSize: 8)
            }
        try await pool.open(8)
        benchmark.startMeasurement()
        try await contendFor(pool, times)
        benchmark.stopMeasurement()
    }
}

private func contendFor(_ pool: some BenchmarkPool, _ times: Int) async throws {
    try await withThrowingTaskGroup(of: Void.self) { group in
        for task in 0..<64 {
            group.addTask {
                for _ in stride(from: task, to: times, by: 64) {
                    try await pool.withConnection(fileID: #fileID, line: #line) { _ in
                        await Task.yield()
                    }
                }
            }
        }
        try await group.waitForAll()
    }
}
