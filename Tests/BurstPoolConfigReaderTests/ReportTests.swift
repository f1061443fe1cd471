// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolConfigReader
import Testing

@Suite("What was read, and what was not", .timeLimit(.minutes(5)))
struct ReportTests {
    @Test("the values that were found are listed")
    func settings() throws {
        let read = try reading(environment: ["POOL_MAX_SIZE": "7", "POOL_CONNECT_RETRY_CAP": "1s", "OTHER": "1"])
        #expect("\(read)" == "maxSize = 7, connectRetry.cap = 1s")
    }

    @Test(
        "an unknown variable under the prefix is reported with the most similar setting",
        arguments: zip(
            [
                "POOL_MAXSIZE", "POOL_CIRCUIT_BREAKER_FAILURE_TRESHOLD", "POOL_ACQUIRE_TIMEOUTS", "POOL_CONNECTRETRY",
                "POOL_SOMETHING_ELSE",
            ],
            [
                "POOL_MAX_SIZE", "POOL_CIRCUIT_BREAKER_FAILURE_THRESHOLD", "POOL_ACQUIRE_TIMEOUT",
                "POOL_CONNECT_RETRY", nil,
            ] as [String?]
        )
    )
    func unknown(_ name: String, _ suggestion: String?) throws {
        let environment = ["POOL_MAX_SIZE": "7", "POOLED": "1", "HOME": "/", name: "5"]
        let unknown = try reading(environment: environment).unknownVariables(in: environment, prefix: "POOL_")
        #expect(unknown.map(\.name) == [name])
        #expect(unknown.first?.suggestion == suggestion)
        let advice = suggestion.map { " Did you mean \($0)?" } ?? ""
        #expect(unknown.first?.description == "\(name) is not a setting of the pool and is ignored.\(advice)")
    }

    @Test("no setting of the pool is reported as unknown")
    func known() throws {
        let read = try reading(environment: ["POOL_MAX_SIZE": "7"])
        let names = read.knownKeys.map { key in
            "POOL_" + key.map { $0.isUppercase ? "_\($0)" : $0 == "." ? "_" : $0.uppercased() }.joined()
        }
        #expect(names.contains("POOL_LOAD_SHEDDING_TARGET"))
        let environment = Dictionary(uniqueKeysWithValues: names.map { ($0, "1") })
        #expect(read.unknownVariables(in: environment, prefix: "POOL_").isEmpty)
    }
}
