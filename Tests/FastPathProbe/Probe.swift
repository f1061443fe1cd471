// SPDX-License-Identifier: Apache-2.0

import BurstPool
import CAllocationCounter

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Shows by counting that acquiring and releasing an idle connection neither allocates nor suspends.
///
/// It counts for all threads, over many leases, after a warm-up. It exits with 1 if a count is not 0, or if one of the
/// controls, which do allocate or suspend, is not noticed. Only an optimized build is expected to pass.
@main
struct Probe {
    static let leases = 100_000

    static func main() async throws {
        guard allocation_counter_works() else {
            print("FastPathProbe: a program cannot count its allocations on this platform; nothing was checked")
            return
        }
        var failures = 0
        func expect(_ isRight: Bool, _ what: String, _ counts: Counts) {
            print("\(isRight ? "ok  " : "FAIL") \(what): \(counts) in \(leases) leases")
            if !isRight { failures += 1 }
        }

        for scenario in try await Scenario.all() {
            let counts = try await scenario.count(leases: leases)
            expect(counts.allocations == 0 && counts.jobs == 0, scenario.name, counts)
        }
        let allocates = try await Scenario.controlThatAllocates().count(leases: leases)
        expect(allocates.allocations >= UInt64(leases), "control: a body that allocates is noticed", allocates)
        let suspends = try await Scenario.controlThatSuspends().count(leases: leases)
        expect(suspends.jobs >= leases, "control: a body that suspends is noticed", suspends)

        exit(failures == 0 ? 0 : 1)
    }
}
