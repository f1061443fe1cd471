// SPDX-License-Identifier: Apache-2.0

extension ConnectionPoolConfiguration {
    /// Checks that all settings are in range and do not contradict each other.
    ///
    /// - Throws: ``ConnectionPoolError`` with `.invalidConfiguration`, which names the settings and their values.
    func validate() throws(ConnectionPoolError) {
        try Self.validate(maxSize: maxSize, burstLimit: burstLimit, poolName: name)
        try validateNumbers()
        try validateDurations()
        try validatePairs()
    }

    static func validate(maxSize: Int, burstLimit: Int?, poolName: String) throws(ConnectionPoolError) {
        func refuse(_ message: String) throws(ConnectionPoolError) {
            throw .invalidConfiguration(message, poolName: poolName)
        }
        if maxSize < 1 { try refuse("maxSize is \(maxSize). A pool needs room for at least 1 connection.") }
        if maxSize > largestSize { try refuse("maxSize is \(maxSize). The greatest possible size is \(largestSize).") }
        guard let burstLimit else { return }
        if burstLimit < maxSize {
            try refuse(
                "burstLimit is \(burstLimit) and maxSize is \(maxSize). The hard limit cannot be below the soft limit."
            )
        }
        if burstLimit > largestSize {
            try refuse("burstLimit is \(burstLimit). The greatest possible size is \(largestSize).")
        }
    }

    private func refuse(_ message: String) -> ConnectionPoolError {
        .invalidConfiguration(message, poolName: name)
    }

    private func validateNumbers() throws(ConnectionPoolError) {
        if minimumIdle < 0 { throw refuse("minimumIdle is \(minimumIdle). It cannot be negative.") }
        if minimumIdle > maxSize {
            throw refuse(
                "minimumIdle is \(minimumIdle) and maxSize is \(maxSize). minimumIdle cannot be greater than maxSize."
            )
        }
        if let connects = maxConcurrentConnects, connects < 1 {
            throw refuse(
                "maxConcurrentConnects is \(connects). It must be at least 1, or no connection is ever opened."
            )
        }
        if let maxWaiters, maxWaiters < 1 {
            throw refuse(
                "maxWaiters is \(maxWaiters). It must be at least 1. If callers should never wait, set acquireTimeout to zero."
            )
        }
        if let threshold = circuitBreaker?.failureThreshold, threshold < 1 {
            throw refuse("circuitBreaker.failureThreshold is \(threshold). It must be at least 1.")
        }
        if !(lifetimeJitter >= 0 && lifetimeJitter < 1) {
            throw refuse(
                "lifetimeJitter is \(lifetimeJitter). It is a share of maxLifetime, from 0 up to, not including, 1."
            )
        }
    }

    private func validateDurations() throws(ConnectionPoolError) {
        let durations: [(String, Duration?)] = [
            ("connectDelay", connectDelay),
            ("connectTimeout", connectTimeout),
            ("connectRetry.base", connectRetry?.base),
            ("connectRetry.cap", connectRetry?.cap),
            ("circuitBreaker.openFor", circuitBreaker?.openFor),
            ("circuitBreaker.failingFor", circuitBreaker?.failingFor),
            ("loadShedding.target", loadShedding?.target),
            ("loadShedding.interval", loadShedding?.interval),
            ("validationTimeout", validationTimeout),
            ("closeTimeout", closeTimeout),
        ]
        for case (let name, let duration?) in durations where duration <= .zero {
            throw refuse("\(name) is \(duration). It must be longer than zero.")
        }
        // Maintenance enforces these limits. With limits of less than 1 millisecond, it would inspect the connections all the
        // time and keep a CPU busy.
        let maintained: [(String, Duration?)] = [
            ("idleTimeout", idleTimeout),
            ("maxLifetime", maxLifetime),
            ("burstLinger", burstLinger),
            ("validateAfterIdle", validateAfterIdle),
            ("keepaliveInterval", keepaliveInterval),
            ("leakThreshold", leakThreshold),
        ]
        for case (let name, let duration?) in maintained where duration < .milliseconds(1) {
            throw refuse("\(name) is \(duration). It must be at least 1 millisecond.")
        }
        if let acquireTimeout, acquireTimeout < .zero {
            throw refuse(
                "acquireTimeout is \(acquireTimeout). It cannot be negative. Zero means that callers never wait, and nil that they wait without limit."
            )
        }
    }

    private func validatePairs() throws(ConnectionPoolError) {
        if acquireTimeout == .zero, minimumIdle == 0 {
            throw refuse(
                "acquireTimeout is zero and minimumIdle is 0. Callers that never wait open no connections, so this pool would never have any. Set minimumIdle to at least 1, or a longer acquireTimeout."
            )
        }
        if let burstLinger, burstLimit == nil {
            throw refuse(
                "burstLinger is \(burstLinger) and burstLimit is nil. Without a burstLimit there is never a connection above maxSize to keep."
            )
        }
        if let backoff = connectRetry, backoff.base > backoff.cap {
            throw refuse(
                "connectRetry.base is \(backoff.base) and connectRetry.cap is \(backoff.cap). The first wait cannot be longer than the longest one."
            )
        }
        if let shedding = loadShedding, shedding.target >= shedding.interval {
            throw refuse(
                "loadShedding.target is \(shedding.target) and loadShedding.interval is \(shedding.interval). The target must be shorter than the interval."
            )
        }
        try validateOrder("keepaliveInterval", keepaliveInterval, isBelow: "maxLifetime", maxLifetime)
        try validateOrder(
            "keepaliveInterval",
            keepaliveInterval,
            isBelow: "idleTimeout",
            minimumIdle == 0 ? idleTimeout : nil
        )
        try validateOrder("validateAfterIdle", validateAfterIdle, isBelow: "maxLifetime", maxLifetime)
        try validateOrder("idleTimeout", idleTimeout, isBelow: "maxLifetime", maxLifetime)
        if let leakThreshold, observer == nil {
            throw refuse(
                "leakThreshold is \(leakThreshold) and observer is nil. Leaks are reported to an observer, so one is needed."
            )
        }
    }

    private func validateOrder(
        _ setting: String,
        _ duration: Duration?,
        isBelow boundName: String,
        _ bound: Duration?
    ) throws(ConnectionPoolError) {
        guard let duration, let bound, duration >= bound else { return }
        throw refuse(
            "\(setting) is \(duration) and \(boundName) is \(bound). A connection is closed by then, so \(setting) must be shorter."
        )
    }
}
