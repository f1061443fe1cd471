extension ConnectionPoolConfiguration {
    /// - Throws: ``ConnectionPoolError`` with `.invalidConfiguration`, which names the fields and their values.
    func validate() throws(ConnectionPoolError) {
        try Self.validate(maxSize: maxSize, burstLimit: burstLimit)
        try validateNumbers()
        try validateDurations()
        try validatePairs()
    }

    static func validate(maxSize: Int, burstLimit: Int?) throws(ConnectionPoolError) {
        guard maxSize >= 1 else {
            throw .invalidConfiguration("maxSize is \(maxSize), but a pool needs room for at least 1 connection")
        }
        guard maxSize <= largestSize else {
            throw .invalidConfiguration("maxSize is \(maxSize), but a pool has room for at most \(largestSize)")
        }
        guard let burstLimit else { return }
        guard burstLimit >= maxSize else {
            throw .invalidConfiguration(
                "burstLimit is \(burstLimit) and maxSize is \(maxSize), but the hard limit cannot be below the soft one"
            )
        }
        guard burstLimit <= largestSize else {
            throw .invalidConfiguration("burstLimit is \(burstLimit), but a pool has room for at most \(largestSize)")
        }
    }

    private func validateNumbers() throws(ConnectionPoolError) {
        if minimumIdle < 0 {
            throw .invalidConfiguration("minimumIdle is \(minimumIdle), but there cannot be fewer than 0 connections")
        }
        if minimumIdle > maxSize {
            throw .invalidConfiguration(
                "minimumIdle is \(minimumIdle) and maxSize is \(maxSize), but a pool keeps no more than maxSize connections"
            )
        }
        if let connects = maxConcurrentConnects, connects < 1 {
            throw .invalidConfiguration(
                "maxConcurrentConnects is \(connects), but a pool that opens none at a time never has a connection"
            )
        }
        if let maxWaiters, maxWaiters < 1 {
            throw .invalidConfiguration(
                "maxWaiters is \(maxWaiters), but at least 1 caller must be able to wait; to never wait, set acquireTimeout to zero"
            )
        }
        if let threshold = circuitBreaker?.failureThreshold, threshold < 1 {
            throw .invalidConfiguration(
                "circuitBreaker.failureThreshold is \(threshold), but a breaker opens after at least 1 failure"
            )
        }
        if !(lifetimeJitter >= 0 && lifetimeJitter < 1) {
            throw .invalidConfiguration(
                "lifetimeJitter is \(lifetimeJitter), but it is a share of maxLifetime: from 0 up to, not including, 1"
            )
        }
    }

    private func validateDurations() throws(ConnectionPoolError) {
        let durations: [(String, Duration?)] = [
            ("idleTimeout", idleTimeout),
            ("maxLifetime", maxLifetime),
            ("burstLinger", burstLinger),
            ("connectDelay", connectDelay),
            ("connectTimeout", connectTimeout),
            ("connectRetry.base", connectRetry?.base),
            ("connectRetry.cap", connectRetry?.cap),
            ("circuitBreaker.openFor", circuitBreaker?.openFor),
            ("loadShedding.target", loadShedding?.target),
            ("loadShedding.interval", loadShedding?.interval),
            ("validateAfterIdle", validateAfterIdle),
            ("validationTimeout", validationTimeout),
            ("keepaliveInterval", keepaliveInterval),
            ("closeTimeout", closeTimeout),
            ("leakThreshold", leakThreshold),
        ]
        for case (let name, let duration?) in durations where duration <= .zero {
            throw .invalidConfiguration("\(name) is \(duration), but it must be longer than no time at all")
        }
    }

    private func validatePairs() throws(ConnectionPoolError) {
        if let burstLinger, burstLimit == nil {
            throw .invalidConfiguration(
                "burstLinger is \(burstLinger), but without a burstLimit there is never a connection above maxSize to keep"
            )
        }
        if let backoff = connectRetry, backoff.base > backoff.cap {
            throw .invalidConfiguration(
                "connectRetry.base is \(backoff.base) and connectRetry.cap is \(backoff.cap), but the first wait cannot be longer than the longest"
            )
        }
        if let control = loadShedding, control.target >= control.interval {
            throw .invalidConfiguration(
                "loadShedding.target is \(control.target) and loadShedding.interval is \(control.interval), but who joins a standing queue must wait for less than the interval"
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
            throw .invalidConfiguration(
                "leakThreshold is \(leakThreshold), but observer is nil, and nobody would be told of a leak"
            )
        }
    }

    private func validateOrder(
        _ name: String,
        _ duration: Duration?,
        isBelow boundName: String,
        _ bound: Duration?
    ) throws(ConnectionPoolError) {
        guard let duration, let bound, duration >= bound else { return }
        throw .invalidConfiguration(
            "\(name) is \(duration) and \(boundName) is \(bound), but a connection is gone by then: \(name) must be shorter"
        )
    }
}
