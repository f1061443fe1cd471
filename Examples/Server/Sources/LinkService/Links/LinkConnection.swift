// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What the service needs of a connection to read links.
protocol LinkReader {
    /// The name of the database in logs and on the page.
    static var system: String { get }

    /// Returns a link without counting a use, or `nil` if there is no such link.
    func findLink(_ code: LinkCode) async throws -> Link?

    /// Checks whether the database answers and is ready to store links.
    func checkLinks() async throws
}

/// What the service needs of a connection to the database that stores the links.
///
/// Every operation is atomic in the database, so several servers can share one database.
protocol LinkConnection: LinkReader {
    /// Stores a link that was never followed.
    ///
    /// - Returns: The link, or `nil` if another link has the code.
    func createLink(_ code: LinkCode, url: String, created: Date) async throws -> Link?

    /// Counts a use of a link and returns its URL, or `nil` if there is no such link.
    func followLink(_ code: LinkCode) async throws -> String?
}

/// What the database has stored for a link is not a link.
struct LinkCorruption: Error {
    let key: String
}
