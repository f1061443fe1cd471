// SPDX-License-Identifier: Apache-2.0

import BurstPoolPostgres
import BurstPoolRedis
import Testing

@testable import BurstPoolDemo

@Suite("The choice of the server", .timeLimit(.minutes(5)))
struct ServerChoiceTests {
    @Test("is a private server without a URL")
    func privateServers() throws {
        guard case .privateRedis = try ServerChoice(url: nil, postgres: false) else {
            Issue.record("not a private Redis")
            return
        }
        guard case .privatePostgres = try ServerChoice(url: nil, postgres: true) else {
            Issue.record("not a private PostgreSQL server")
            return
        }
    }

    @Test(
        "is Redis for its schemes",
        arguments: [
            ("redis://cache:7000/2", "cache:7000"), ("valkey://cache", "cache:6379"), ("REDIS://cache", "cache:6379"),
            ("unix:///run/redis.sock", "/run/redis.sock"), ("redis+unix:///run/redis.sock", "/run/redis.sock"),
        ]
    )
    func redis(url: String, endpoint: String) throws {
        guard case .redis(let configuration) = try ServerChoice(url: url, postgres: false) else {
            Issue.record("not Redis")
            return
        }
        #expect(configuration.endpoint.description == endpoint)
    }

    @Test(
        "is PostgreSQL for its schemes",
        arguments: ["postgresql://app:secret@db:5433/shop?sslmode=require", "PostgreS://app:secret@db:5433/shop"]
    )
    func postgres(url: String) throws {
        guard case .postgres(let configuration) = try ServerChoice(url: url, postgres: false) else {
            Issue.record("not PostgreSQL")
            return
        }
        #expect(configuration.parameters["host"] == "db")
        #expect(configuration.parameters["port"] == "5433")
        #expect(configuration.parameters["dbname"] == "shop")
        #expect(configuration.parameters["password"] == "secret")
    }

    @Test(
        "refuses other URLs with advice, and never repeats a password",
        arguments: [
            ("mysql://app:hunter2@db/shop", "scheme 'mysql'"),
            ("app:hunter2@db", "must be a URL that starts with redis://"),
            ("redis-sentinel://:hunter2@cache", "Sentinel"),
            ("postgresql://app:hunter2@db/shop?colour=red", "colour"),
            ("postgresql://app:hunter2@[db/shop", "malformed"),
        ]
    )
    func refused(url: String, part: String) throws {
        let error = try #require(throws: (any Error).self) { try ServerChoice(url: url, postgres: false) }
        let text = "\(error)"
        #expect(text.contains(part))
        #expect(!text.contains("hunter2"))
    }

    @Test("refuses a private server together with a URL")
    func contradiction() {
        let failure = #expect(throws: DemoFailure.self) {
            try ServerChoice(url: "postgresql://db/shop", postgres: true)
        }
        #expect(failure?.description.contains("--postgres") == true)
    }
}
