// SPDX-License-Identifier: Apache-2.0

import Synchronization

/// Asks a closure for credentials, and caches them while they are valid.
final class CredentialSource: Sendable {
    typealias Provider = @Sendable () async throws -> RedisCredentials

    /// Credentials, and when they expire.
    struct Issued: Sendable {
        let credentials: RedisCredentials
        /// `nil` if their validity is unknown. They are not cached then.
        let expiry: ContinuousClock.Instant?

        var isValid: Bool { expiry.map { ContinuousClock.now < $0 } ?? false }
    }

    private let provider: Provider
    private let cached = Mutex<Issued?>(nil)

    init(_ provider: @escaping Provider) {
        self.provider = provider
    }

    /// Credentials for a new connection: the cached ones while they are valid, otherwise new ones.
    func current() async throws -> Issued {
        if let issued = cached.withLock({ $0 }), issued.isValid { return issued }
        return try await ask()
    }

    /// Credentials to use instead of those that a server has refused.
    ///
    /// - Returns: `nil` if there are no others: a further attempt with the same ones could lock the account.
    func replacement(for refused: Issued) async throws -> Issued? {
        // Another connection may have replaced the refused ones in the meantime.
        if let issued = cached.withLock({ $0 }), issued.isValid, !issued.hasSamePassword(as: refused) { return issued }
        let issued = try await ask()
        return issued.hasSamePassword(as: refused) ? nil : issued
    }

    private func ask() async throws -> Issued {
        let credentials = try await provider()
        let issued = Issued(credentials: credentials, expiry: credentials.validFor.map { ContinuousClock.now + $0 })
        cached.withLock { $0 = issued.expiry == nil ? nil : issued }
        return issued
    }
}

extension CredentialSource.Issued {
    fileprivate func hasSamePassword(as other: Self) -> Bool {
        credentials.username == other.credentials.username && credentials.password == other.credentials.password
    }
}
