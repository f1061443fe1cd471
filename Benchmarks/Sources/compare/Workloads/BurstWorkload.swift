// SPDX-License-Identifier: Apache-2.0

import BenchmarkSubjects

/// W4: soft limit 8, hard limit 64, bursts of 64 tasks with pauses.
enum BurstWorkload {
    private static let waves = 4
    private static let tasks = 64
    private static let leasesEach = 20

    static func run(_ report: inout Report, _ settings: Settings) async throws {
        let subjects = [
            try Subject("CK core") { try ShippingPool(strategy: $0, maxSize: 8, burstLimit: 64) },
            try Subject("lock-free Swift core") { try LockFreeSwiftPool(strategy: $0, maxSize: 8, burstLimit: 64) },
            try Subject("Mutex core") { try MutexPool(strategy: $0, maxSize: 8, burstLimit: 64) },
        ]
        let contest = Contest(
            name: "W4",
            contenders: subjects.map { subject in .measuring(subject.name) { _ in try await subject.sample() } },
            budget: settings.budget(seconds: 4),
            operations: waves * tasks * leasesEach
        )
        let result = try await contest.run(settings.progress)
        report.add(result, workload: "W4", reference: subjects[0].name, by: .wall)
        for subject in subjects {
            let statistics = subject.pool.statistics
            let perWave = Double(subject.strategy.opened) / Double(waves * (result.rounds.count + 1))
            report.notes.append(
                "W4, \(subject.name): \(short(perWave)) connections opened in each wave; open after the last: "
                    + "\(statistics.total)."
            )
            try expect(statistics.total <= 8, "W4: \(subject.name) did not shrink to its soft limit")
        }
    }

    private struct Subject: Sendable {
        let name: String
        let strategy: CountingStrategy
        let pool: any BenchmarkPool

        init(_ name: String, _ makePool: (CountingStrategy) throws -> any BenchmarkPool) throws {
            self.name = name
            strategy = CountingStrategy(connectTime: .milliseconds(1))
            pool = try makePool(strategy)
        }

        func sample() async throws -> Sample {
            try await Self.sample(pool)
        }

        private static func sample(_ pool: some BenchmarkPool) async throws -> Sample {
            var samples: [Sample] = []
            for _ in 0..<waves {
                let wave = try await inParallel(tasks, operationsEach: leasesEach) { _, times in
                    for _ in 0..<times {
                        try await pool.withConnection(fileID: #fileID, line: #line) { _ in
                            await Task.yield()
                        }
                    }
                }
                samples.append(wave)
                try await Task.sleep(for: .milliseconds(5))
            }
            return Sample(
                wall: Distribution(samples.map(\.wall)).median,
                cpu: Distribution(samples.map(\.cpu)).median,
                disturbance: samples.map(\.disturbance).max() ?? 0
            )
        }
    }
}
