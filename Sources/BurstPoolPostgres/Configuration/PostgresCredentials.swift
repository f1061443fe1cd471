// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// A user and a password for connecting.
public struct PostgresCredentials: Sendable, CustomStringConvertible, CustomReflectable {
    /// The user. `nil`: the user in ``PostgresConfiguration/parameters``.
    public var user: String?
    /// The password, or a token in its place.
    public var password: String
    /// How long the credentials can be used for further connections, from now on. `nil`: they are asked for again for
    /// each connection.
    public var validFor: Duration?
    /// Whether a connection must be replaced when the credentials expire. Most servers check credentials only when a
    /// connection opens. Default: `false`.
    public var endConnections: Bool

    public init(user: String? = nil, password: String, validFor: Duration? = nil, endConnections: Bool = false) {
        self.user = user
        self.password = password
        self.validFor = validFor
        self.endConnections = endConnections
    }

    /// The user. Never the password.
    public var description: String { "user \(user ?? "(as configured)"), password (hidden)" }
    public var customMirror: Mirror { Mirror(self, children: ["credentials": description]) }
}

/// Provides credentials, such as a token of a cloud provider or a password from a secret store.
///
/// It is called for a connection attempt unless earlier credentials are still valid. When the server refuses credentials,
/// it is called once more before the error counts as permanent.
public typealias PostgresCredentialsProvider = @Sendable () async throws -> PostgresCredentials

/// Keeps credentials for as long as they are valid.
final class CredentialCache: Sendable {
    struct Entry: Sendable {
        let credentials: PostgresCredentials
        /// `nil`: never.
        let expiry: ContinuousClock.Instant?
    }

    private let provider: PostgresCredentialsProvider
    private let latest = Mutex<Entry?>(nil)

    init(_ provider: @escaping PostgresCredentialsProvider) {
        self.provider = provider
    }

    /// Returns valid credentials.
    ///
    /// - Parameter refused: Credentials that the server has refused, which are not used again.
    func entry(otherThan refused: Entry? = nil) async throws -> Entry {
        let cached = latest.withLock { latest in
            // Another attempt may have replaced the refused ones already.
            if let refused, latest?.expiry == refused.expiry { latest = nil }
            return latest
        }
        if let cached, let expiry = cached.expiry, expiry > .now { return cached }
        do {
            let credentials = try await provider()
            let entry = Entry(credentials: credentials, expiry: credentials.validFor.map { .now + $0 })
            if credentials.validFor != nil { latest.withLock { $0 = entry } }
            return entry
        } catch let error as CancellationError {
            throw error
        } catch {
            throw PostgresError(
                .credentialsUnavailable,
                "The credentials for the connection could not be obtained: \(error)",
                underlyingError: error
            )
        }
    }
}
