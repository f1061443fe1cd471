// SPDX-License-Identifier: Apache-2.0

import BurstPool
import BurstPoolConfigReader
import Configuration
import Testing

@Suite("The format of values", .timeLimit(.minutes(5)))
struct ValueFormatTests {
    static let invalid: [(key: String, value: ConfigValue, text: String, allowed: String)] = [
        ("maxSize", "many", "many", "a whole number"),
        ("maxSize", 1.5, "1.5", "a whole number"),
        ("maxSize", true, "true", "a whole number"),
        ("maxSize", ConfigValue(.intArray([1, 2]), isSecret: false), "[1, 2]", "a whole number"),
        ("burstLimit", "4O", "4O", "a whole number"),
        ("minimumIdle", "", "", "a whole number"),
        ("maxConcurrentConnects", "x", "x", "a whole number"),
        ("maxWaiters", "1e3", "1e3", "a whole number"),
        ("lifetimeJitter", "much", "much", "a number"),
        ("lifetimeJitter", "nan", "nan", "a number"),
        ("resetsConnections", "maybe", "maybe", "true or false (also yes/no, on/off, 1/0)"),
        ("detectsNestedAcquires", 2, "2", "true or false (also yes/no, on/off, 1/0)"),
        ("closeErrors", "ignored", "ignored", "thrown or reported"),
        ("closeErrors", 1, "1", "thrown or reported"),
        ("circuitBreaker.failureThreshold", "few", "few", "a whole number"),
        ("connectRetry.enabled", "perhaps", "perhaps", "true or false (also yes/no, on/off, 1/0)"),
        ("connectRetry", "50ms", "50ms", "true, false or none; the group's values are set at the keys below it"),
    ]

    @Test(
        "a value of the wrong type is an error that names the key, the value and what is allowed",
        arguments: invalid.indices
    )
    func wrongType(_ index: Int) {
        let (key, value, text, allowed) = Self.invalid[index]
        let error = #expect(throws: ConnectionPoolConfigurationReadError.self) { try read(key, value) }
        #expect(error?.code == .invalid)
        #expect(error?.key == key)
        #expect(error?.value == text)
        #expect(error?.message == "'\(key)' is '\(text)', but must be \(allowed).")
    }

    @Test("none is nil", arguments: ["acquireTimeout", "closeTimeout"])
    func none(_ key: String) throws {
        func field(_ configuration: ConnectionPoolConfiguration) -> Duration? {
            key == "acquireTimeout" ? configuration.acquireTimeout : configuration.closeTimeout
        }
        #expect(try field(read(["maxSize": 7])) != nil)
        #expect(try field(read(key, "none")) == nil)
    }

    @Test(
        "none is an error for a setting that cannot be nil",
        arguments: ["maxSize", "minimumIdle", "validationTimeout"]
    )
    func noNone(_ key: String) throws {
        let error = #expect(throws: ConnectionPoolConfigurationReadError.self) { try read(key, "none") }
        #expect(error?.code == .invalid)
        #expect(error?.key == key)
    }

    private static let durationKeys = [
        "idleTimeout", "maxLifetime", "burstLinger", "connectDelay", "connectTimeout", "connectRetry.base",
        "connectRetry.cap", "circuitBreaker.openFor", "acquireTimeout", "loadShedding.target", "loadShedding.interval",
        "validateAfterIdle", "validationTimeout", "keepaliveInterval", "closeTimeout", "leakThreshold",
    ]

    @Test(
        "a text that is not a duration is an error at each key of a duration",
        arguments: durationKeys,
        ["soon", "5 weeks", "s", "1e300d", "nan", "", "5mss", "400000d"]
    )
    func wrongDuration(_ key: String, _ text: String) {
        let error = #expect(throws: ConnectionPoolConfigurationReadError.self) {
            try read(key, ConfigValue(stringLiteral: text))
        }
        #expect(error?.code == .invalid)
        #expect(error?.key == key)
        #expect(error?.value == text)
    }

    @Test("a number without a unit is an error that asks for the unit", arguments: durationKeys, ["250", "1.5", "0"])
    func durationWithoutUnit(_ key: String, _ text: String) {
        let error = #expect(throws: ConnectionPoolConfigurationReadError.self) {
            try read(key, ConfigValue(stringLiteral: text))
        }
        #expect(
            error?.message
                == "'\(key)' is '\(text)', but must be a duration with a unit, such as \(text)ms or \(text)s."
        )
        let error2 = #expect(throws: ConnectionPoolConfigurationReadError.self) { try read(key, 250) }
        #expect(error2?.message == "'\(key)' is '250', but must be a duration with a unit, such as 250ms or 250s.")
    }

    @Test(
        "a duration is a number with a unit",
        arguments: zip(
            ["250ms", "1.5s", "5m", "2h", "1d", "3us", "7ns", "0s", " 1s", "2 S"],
            [
                .milliseconds(250), .milliseconds(1500), .seconds(300), .seconds(7200), .seconds(86400),
                .microseconds(3), .nanoseconds(7), .zero, .seconds(1), .seconds(2),
            ] as [Duration]
        )
    )
    func duration(_ text: String, _ expected: Duration) throws {
        #expect(try read("acquireTimeout", ConfigValue(stringLiteral: text)).acquireTimeout == expected)
        #expect(try DurationText.parse(text) == expected)
    }

    @Test(
        "boolean values have all usual spellings",
        arguments: ["true", "TRUE", "yes", "Yes", "y", "t", "on", "ON", "1", "enabled", " true "],
        ["false", "False", "no", "n", "f", "off", "OFF", "0", "disabled"]
    )
    func booleans(_ yes: String, _ no: String) throws {
        let on = try reading(environment: ["POOL_MAX_SIZE": "7", "POOL_RESETS_CONNECTIONS": yes])
        #expect(on.configuration.resetsConnections)
        let off = try reading(environment: ["POOL_MAX_SIZE": "7", "POOL_RESETS_CONNECTIONS": no])
        #expect(!off.configuration.resetsConnections)
    }
}
