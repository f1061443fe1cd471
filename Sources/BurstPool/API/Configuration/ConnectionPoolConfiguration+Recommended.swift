// SPDX-License-Identifier: Apache-2.0

extension ConnectionPoolConfiguration {
    /// Creates the configuration that most servers want.
    ///
    /// | setting | value |
    /// |---|---|
    /// | ``acquireTimeout`` | 30 seconds |
    /// | ``connectTimeout`` | 5 seconds |
    /// | ``connectRetry`` | from 100 milliseconds to 5 seconds, with full jitter |
    /// | ``maxConcurrentConnects`` | 8 |
    /// | ``burstLinger`` | 1 second, if there is a burst limit |
    /// | ``idleTimeout`` | 10 minutes |
    /// | ``maxLifetime`` | 30 minutes, shortened by up to 10 % |
    /// | ``validateAfterIdle`` | 30 seconds |
    /// | ``closeErrors`` | reported to the observer |
    ///
    /// - Parameters:
    ///   - maxSize: The soft limit.
    ///   - burstLimit: The hard limit; `nil` if it is the same as `maxSize`.
    public static func recommended(maxSize: Int, burstLimit: Int? = nil) -> Self {
        var configuration = ConnectionPoolConfiguration(maxSize: maxSize, burstLimit: burstLimit)
        configuration.connectTimeout = .seconds(5)
        configuration.connectRetry = ConnectionBackoff()
        configuration.maxConcurrentConnects = 8
        configuration.burstLinger = burstLimit == nil ? nil : .seconds(1)
        configuration.idleTimeout = .seconds(600)
        configuration.maxLifetime = .seconds(1800)
        configuration.validateAfterIdle = .seconds(30)
        configuration.closeErrors = .reported
        return configuration
    }
}
