// SPDX-License-Identifier: Apache-2.0

import CBenchmarkSupport

/// W5 in the C core: 100,000 waiters, 10,000 of whom stay.
enum CoreStorm {
    private static let patient = 10_000
    private static let doomed = 90_000
    private static let wave = 1_000
    /// Leases that circulate between two waves. Each serves the oldest waiter, which joins again at the end.
    private static let circulating = 8

    /// The waiters that leave come and go in waves, half by cancellation and half by deadline.
    static func churn() throws -> [String: Double] {
        let pool = Pointer(core_pool_create(8, 0))
        let need = try joinPatient(pool)
        var tickets = Array(repeating: bp_ticket(value: 1), count: wave)
        let before = measure_resident_memory()
        for index in 0..<(doomed / wave) {
            let isCancelled = index.isMultiple(of: 2)
            try expect(core_pool_join(pool.value, &tickets, UInt64(wave), isCancelled ? UInt64.max : 1))
            try circulate(pool)
            if isCancelled {
                try expect(core_pool_leave(pool.value, tickets, UInt64(wave)))
            } else {
                try expect(core_pool_expire(pool.value, UInt64(wave) + 1) == UInt64(wave), "not all have timed out")
            }
        }
        let after = need + Double(measure_resident_memory()) - Double(before)
        try expectNothingLost(pool)
        return ["ratio": after / need, "need": need, "after": after]
    }

    /// All waiters wait at the same time. Then nine of ten leave.
    static func atOnce() throws -> [String: Double] {
        let pool = Pointer(core_pool_create(8, 0))
        let need = try joinPatient(pool)
        var tickets = Array(repeating: bp_ticket(value: 1), count: doomed)
        let before = measure_resident_memory()
        try expect(core_pool_join(pool.value, &tickets, UInt64(doomed), UInt64.max))
        try circulate(pool)
        try expect(core_pool_leave(pool.value, tickets, UInt64(doomed)))
        let after = need + Double(measure_resident_memory()) - Double(before)
        try expectNothingLost(pool)
        return ["ratio": after / need, "need": need, "after": after]
    }

    /// Joins the waiters that stay. Returns the memory that they take, which is the need of the live waiters.
    private static func joinPatient(_ pool: Pointer) throws -> Double {
        var tickets = Array(repeating: bp_ticket(value: 1), count: patient)
        return try MemoryProbe.growth {
            try expect(core_pool_join(pool.value, &tickets, UInt64(patient), UInt64.max))
        }
    }

    private static func circulate(_ pool: Pointer) throws {
        var ticket = bp_ticket()
        for _ in 0..<circulating {
            try expect(core_pool_serve(pool.value, 1))
            try expect(core_pool_join(pool.value, &ticket, 1, UInt64.max))
        }
    }

    private static func expectNothingLost(_ pool: Pointer) throws {
        try expect(core_pool_serve(pool.value, UInt64(patient)), "a waiter was lost")
        try expect(!core_pool_serve(pool.value, 1), "there is a waiter too many")
    }
}
