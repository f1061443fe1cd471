// SPDX-License-Identifier: Apache-2.0

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

/// Shows by measuring that a pool leaves nothing behind and costs nothing at rest: no memory of opens, closes, validations and
/// resets that have ended, although their time limits have not passed, and no CPU time and no wake-up while nothing is due.
///
/// Exits with 1 if a figure is too high, or if one of the controls, which do leave memory or wake up, is not noticed.
@main
struct Probe {
    static let mostBytesForEach = 16.0
    static let mostCPUTime = 0.005
    static let mostWakeups = 200

    static func main() async throws {
        var failures = 0
        func expect(_ isRight: Bool, _ what: String) {
            print("\(isRight ? "ok  " : "FAIL") \(what)")
            if !isRight { failures += 1 }
        }

        for workload in try EndedCalls.all() {
            let bytes = try await workload.bytesLeftByEach(calls: 250_000)
            expect(bytes <= mostBytesForEach, "\(workload.name): \(bytes) bytes are left of each, of 250,000")
        }
        let control = try await EndedCalls.controlThatLeavesMemory().bytesLeftByEach(calls: 25_000)
        expect(control > mostBytesForEach, "control: what cancelled sleeps leave is noticed: \(control) bytes each")

        let resting = try await IdlePools.twoThousand()
        let usage = try await resting.usage(over: .seconds(10))
        expect(
            usage.cpuTime <= mostCPUTime && usage.wakeups <= mostWakeups,
            "\(resting.name): \(usage.cpuTime * 100) % of a CPU, \(usage.wakeups) wake-ups in 10 s"
        )
        let busy = try await IdlePools.controlThatWakes().usage(over: .seconds(2))
        expect(
            busy.wakeups > mostWakeups,
            "control: tasks that wake ten times in a second are noticed: \(busy.wakeups)"
        )

        exit(failures == 0 ? 0 : 1)
    }
}
