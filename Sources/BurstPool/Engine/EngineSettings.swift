// SPDX-License-Identifier: Apache-2.0

/// The configuration, and what the engine has calculated from it when the pool was created.
@usableFromInline
struct EngineSettings: Sendable {
    let configuration: ConnectionPoolConfiguration
    /// The flags of a connection that has just opened.
    let initialFlags: ConnectionFlags
    @usableFromInline let detectsNestedAcquires: Bool
    /// Whether a caller whose release leads to the close of an excess connection waits for that close.
    @usableFromInline let throwsCloseErrors: Bool
    /// Whether each lease and each wait notes the name of its task.
    @usableFromInline let tracksTaskNames: Bool
    let minimumIdle: Int
    let maxLifetime: UInt64?
    let closeTimeout: Duration?
    let validationTimeout: Duration

    init(_ configuration: ConnectionPoolConfiguration) {
        self.configuration = configuration
        var flags: ConnectionFlags = []
        if configuration.leakThreshold != nil || configuration.tracksLeases { flags.insert(.isTracked) }
        if configuration.tracksLeases { flags.insert(.isNamed) }
        if let observer = configuration.observer {
            if observer.observesLeases { flags.insert(.isObserved) }
            if observer.countsIdleLeases { flags.insert(.isCounted) }
        }
        if configuration.resetsConnections { flags.insert(.isReset) }
        initialFlags = flags
        detectsNestedAcquires = configuration.detectsNestedAcquires
        tracksTaskNames = configuration.tracksLeases
        throwsCloseErrors = configuration.closeErrors == .thrown
        minimumIdle = configuration.minimumIdle
        maxLifetime = configuration.maxLifetime?.nanoseconds
        closeTimeout = configuration.closeTimeout
        validationTimeout = configuration.validationTimeout
    }

    @usableFromInline var name: String { configuration.name }
    @usableFromInline var acquireTimeout: Duration? { configuration.acquireTimeout }
    var connectTimeout: Duration? { configuration.connectTimeout }
}
