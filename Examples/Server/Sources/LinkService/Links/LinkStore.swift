// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Foundation

/// Stores links in a database. Every operation is one lease of a connection.
struct LinkStore<Strategy: ConnectionStrategy>: Sendable where Strategy.Connection: LinkConnection {
    let database: Database<ConnectionPool<Strategy>>
    /// Where links are read. The first one is asked first. If it fails or does not have the link, the next one is asked, because
    /// a replica may be behind its primary.
    let readers: [any LinkSource]
    /// Makes new codes, which may already be in use.
    var makeCode: @Sendable () -> LinkCode = { .random() }

    /// Stores a link under an unused code.
    func create(_ address: LinkAddress) async throws -> Link {
        let attempts = 5
        for _ in 0..<attempts {
            let code = makeCode()
            let link = try await database.use { connection in
                try await connection.createLink(code, url: address.text, created: .now)
            }
            if let link { return link }
        }
        throw NoFreeCode(attempts: attempts)
    }

    /// Counts a use of a link and returns its URL, or `nil` if there is no such link.
    func follow(_ code: LinkCode) async throws -> String? {
        try await database.use { connection in try await connection.followLink(code) }
    }

    /// Returns a link without counting a use, or `nil` if there is no such link.
    func find(_ code: LinkCode) async throws -> Link? {
        for reader in readers.dropLast() {
            if let link = try? await reader.find(code) { return link }
        }
        return try await readers.last?.find(code)
    }
}

/// Every attempted code was already in use.
struct NoFreeCode: Error {
    let attempts: Int
}
