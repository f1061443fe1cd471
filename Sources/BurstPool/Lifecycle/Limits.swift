// SPDX-License-Identifier: Apache-2.0

extension _PoolEngine {
    public func resize(maxSize: Int, burstLimit: Int?) throws(ConnectionPoolError) {
        try ConnectionPoolConfiguration.validate(maxSize: maxSize, burstLimit: burstLimit, poolName: settings.name)
        guard maxSize >= settings.minimumIdle else {
            throw .invalidConfiguration(
                "maxSize is \(maxSize) and minimumIdle is \(settings.minimumIdle). minimumIdle cannot be greater than maxSize.",
                poolName: settings.name
            )
        }
        guard core.resize(_PoolCoreLimits(maxSize: maxSize, hardLimit: burstLimit ?? maxSize)) else {
            throw .poolShutDown(statistics, poolName: settings.name)
        }
        noteTotal()
        // Before reconciling, which closes whichever idle connections it finds. Maintenance closes those above the burst limit
        // that have been idle for the longest time.
        if settings.configuration.burstLinger != nil { maintain() }
        reconcile()
        refill()
        // For callers of prewarm that asked for more connections than the pool may have now.
        minimumIdle.attemptEnded.fire()
    }
}
