// SPDX-License-Identifier: Apache-2.0

import BurstPoolSizing
import ServerTestSupport
import Testing

@testable import LinkService

@Suite("The recorded workload", .timeLimit(.minutes(5)))
struct WorkloadTests {
    @Test("/pool/workload has what was asked of the pool, as burst-pool-size reads it")
    func recorded() async throws {
        try await withClient { client, _, _ in
            let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
            for _ in 0..<3 { _ = try await client.get("/\(link.code)") }
            let workload = try await client.get("/pool/workload").decode(RecordedWorkload.self)
            #expect(workload.callers >= 4)
            #expect(workload.use.count >= 4)
            #expect(workload.connect.count >= 1)
            #expect(try workload.load().rate > 0)
        }
    }
}
