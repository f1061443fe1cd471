// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolConfigReader
import Configuration
import Testing

@Suite("Groups of settings", .timeLimit(.minutes(5)))
struct GroupTests {
    @Test("a group is on if it is enabled or has one of its values, and off if it is disabled")
    func groups() throws {
        #expect(try read(["maxSize": 7]).connectRetry == nil)
        #expect(try read("connectRetry.enabled", true).connectRetry == ConnectionBackoff())
        #expect(try read("connectRetry.cap", "1s").connectRetry == ConnectionBackoff(cap: .seconds(1)))
        #expect(try read(["maxSize": 7, "connectRetry.enabled": false, "connectRetry.cap": "1s"]).connectRetry == nil)
        #expect(try read("circuitBreaker.enabled", true).circuitBreaker == ConnectionCircuitBreaker())
        #expect(try read("loadShedding.enabled", true).loadShedding == ConnectionLoadShedding())
    }

    @Test("the key of a group turns it on with true and off with false or none")
    func groupKey() throws {
        func retry(_ variables: [String: String]) throws -> ConnectionBackoff? {
            try reading(environment: variables.merging(["POOL_MAX_SIZE": "7"]) { $1 }).configuration.connectRetry
        }
        #expect(try retry(["POOL_CONNECT_RETRY": "true"]) == ConnectionBackoff())
        #expect(try retry(["POOL_CONNECT_RETRY": "1", "POOL_CONNECT_RETRY_CAP": "1s"])?.cap == .seconds(1))
        #expect(try retry(["POOL_CONNECT_RETRY": "off", "POOL_CONNECT_RETRY_CAP": "1s"]) == nil)
        #expect(try retry(["POOL_CONNECT_RETRY": "none"]) == nil)
    }

    @Test("a group that is both on and off is an error")
    func contradiction() {
        let error = #expect(throws: ConnectionPoolConfigurationReadError.self) {
            try read(["maxSize": 7, "connectRetry": true, "connectRetry.enabled": false])
        }
        #expect(error?.code == .invalid)
        #expect(error?.message == "'connectRetry' is true, but 'connectRetry.enabled' is false. Remove one of them.")
    }

    @Test("a value of a group changes only this value of the group's default")
    func defaultsOfGroups() throws {
        let reader = ConfigReader(provider: InMemoryProvider(values: ["connectRetry.cap": "9s"]))
        let read = try ConnectionPoolConfiguration.read(from: reader, defaultMaxSize: 1) { maxSize in
            var configuration = ConnectionPoolConfiguration(maxSize: maxSize)
            configuration.connectRetry = ConnectionBackoff(base: .milliseconds(7), cap: .seconds(1))
            return configuration
        }
        #expect(read.configuration.connectRetry == ConnectionBackoff(base: .milliseconds(7), cap: .seconds(9)))
    }
}
