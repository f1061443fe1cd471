// SPDX-License-Identifier: Apache-2.0

/// W5: cancellation storm.
enum StormWorkload {
    static func run(_ report: inout Report, _ settings: Settings) async throws {
        settings.progress.say("W5 C core: 100,000 waiters")
        let churn = try await MemoryProbe.run("core-churn")
        let atOnce = try await MemoryProbe.run("core-at-once")
        report.figures.append(
            .init(
                workload: "W5",
                measure: "the core's resident memory after the storm / live waiters' need",
                value: Distribution([churn["ratio"] ?? .nan]),
                must: 2,
                aim: 1.2,
                better: .less
            )
        )
        report.notes.append(
            "W5, C core, all 100,000 waiting at the same time before 90,000 leave: the core then has "
                + "\(short(atOnce["ratio"] ?? .nan)) times what the 10,000 who stay need; it is what the peak needed, and "
                + "the next waiters use it."
        )
        for core in settings.isQuick ? ["CK"] : ["CK", "lock-free Swift", "Mutex"] {
            settings.progress.say("W5 storm on the \(core) core: 100,000 callers")
            let calm = try await MemoryProbe.run("calm", core)
            let storm = try await MemoryProbe.run("storm", core)
            let ratio = (storm["resident"] ?? .nan) / (calm["resident"] ?? .nan)
            if core == "CK" {
                report.figures.append(
                    .init(
                        workload: "W5",
                        measure: "the process's resident memory after the storm / with the live waiters only",
                        value: Distribution([ratio]),
                        must: 2,
                        aim: 1.2,
                        better: .less
                    )
                )
            }
            report.notes.append(
                "W5, \(core) core: \(Int(storm["cancelled"] ?? 0)) cancelled, \(Int(storm["timedOut"] ?? 0)) timed out, "
                    + "\(Int(storm["served"] ?? 0)) served of the 90,000 who were to leave, in "
                    + "\(short(storm["seconds"] ?? .nan)) s; no caller and no connection was lost; resident memory "
                    + "\(short(ratio)) times that with the live waiters only."
            )
        }
    }
}
