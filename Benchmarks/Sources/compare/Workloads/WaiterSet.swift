// SPDX-License-Identifier: Apache-2.0

import CBenchmarkSupport

/// Pools with a number of waiters that stays the same while some leave or are served and others join.
///
/// Two pools, because where waiters leave at random, the order of the remaining ones is no longer known.
final class WaiterSet {
    typealias Costs = [String: Double]

    static let join = "join"
    static let serve = "serve"
    static let leaveInOrder = "leave, in the order of arrival"
    static let leaveAtRandom = "leave, at random"
    static let operations = [join, serve, leaveInOrder, leaveAtRandom]

    private let ordered: Pointer
    private let shuffled: Pointer
    /// The tickets of the waiters, oldest first.
    private var orderedTickets: [bp_ticket]
    private var shuffledTickets: [bp_ticket]
    /// The number of waiters in one batch.
    private let batch: Int
    private let batches: Int
    private var random = XorShift()

    init(_ population: Int) throws {
        batch = max(population / 4, 1)
        // As many leave as wait, so that purges have their proper share.
        batches = max(4, 20_000 / batch)
        ordered = Pointer(core_pool_create(8, 0))
        shuffled = Pointer(core_pool_create(8, 0))
        orderedTickets = Array(repeating: bp_ticket(), count: population)
        shuffledTickets = orderedTickets
        try expect(core_pool_join(ordered.value, &orderedTickets, UInt64(population), UInt64.max))
        try expect(core_pool_join(shuffled.value, &shuffledTickets, UInt64(population), UInt64.max))
        // Makes the pools allocate their memory.
        _ = try measure()
    }

    func destroy() {
        _ = core_pool_serve(ordered.value, UInt64(orderedTickets.count))
        _ = core_pool_serve(shuffled.value, UInt64(shuffledTickets.count))
        core_pool_destroy(ordered.value)
        core_pool_destroy(shuffled.value)
    }

    /// Measures the time of each operation in nanoseconds. Leaving includes its share of the purges, each of which
    /// serves many.
    func measure() throws -> Costs {
        var time = Stopwatch()
        var costs: Costs = [:]
        for _ in 0..<batches {
            try time.add(Self.serve) { core_pool_serve(ordered.value, UInt64(batch)) }
            orderedTickets.removeFirst(batch)
            try refillOrdered(&time)
        }
        costs[Self.serve] = time.take(Self.serve, operations: batch * batches)
        for _ in 0..<batches {
            let leaving = Array(orderedTickets.prefix(batch))
            try time.add(Self.leaveInOrder) { core_pool_leave(ordered.value, leaving, UInt64(batch)) }
            orderedTickets.removeFirst(batch)
            try refillOrdered(&time)
        }
        costs[Self.leaveInOrder] = time.take(Self.leaveInOrder, operations: batch * batches)
        costs[Self.join] = time.take(Self.join, operations: 2 * batch * batches)
        for _ in 0..<batches {
            let leaving = takeAtRandom()
            try time.add(Self.leaveAtRandom) { core_pool_leave(shuffled.value, leaving, UInt64(batch)) }
            var joining = Array(repeating: bp_ticket(), count: batch)
            try expect(core_pool_join(shuffled.value, &joining, UInt64(batch), UInt64.max))
            shuffledTickets += joining
        }
        costs[Self.leaveAtRandom] = time.take(Self.leaveAtRandom, operations: batch * batches)
        return costs
    }

    private func refillOrdered(_ time: inout Stopwatch) throws {
        var joining = Array(repeating: bp_ticket(), count: batch)
        try time.add(Self.join) { core_pool_join(ordered.value, &joining, UInt64(batch), UInt64.max) }
        orderedTickets += joining
    }

    private func takeAtRandom() -> [bp_ticket] {
        (0..<batch).map { _ in
            shuffledTickets.swapAt(Int.random(in: shuffledTickets.indices, using: &random), shuffledTickets.count - 1)
            return shuffledTickets.removeLast()
        }
    }
}

/// Pseudo-random numbers that cost less than a system call each.
private struct XorShift: RandomNumberGenerator {
    private var state: UInt64 = 0x9E37_79B9_7F4A_7C15

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

/// Sums the CPU time of parts of a loop, minus the cost of reading the clock.
private struct Stopwatch {
    private var times: [String: Double] = [:]
    private let clockCost: Double

    init() {
        let costs = (0..<101).map { _ in
            let start = measure_process_cpu_time()
            return Double(measure_process_cpu_time() - start)
        }
        clockCost = Distribution(costs).median
    }

    mutating func add(_ name: String, _ run: () -> Bool) throws {
        let start = measure_process_cpu_time()
        let isDone = run()
        let time = Double(measure_process_cpu_time() - start) - clockCost
        try expect(isDone)
        times[name, default: 0] += time
    }

    mutating func take(_ name: String, operations: Int) -> Double {
        defer { times[name] = nil }
        return max((times[name] ?? 0) / Double(operations), 0)
    }
}
