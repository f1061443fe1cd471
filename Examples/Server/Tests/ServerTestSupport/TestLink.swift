// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes

/// A link that a test created.
public struct TestLink: Sendable, Decodable {
    public let code: String
    public let url: String

    /// The link in a response.
    init(_ answer: HTTPConnection.Answer) throws {
        self = try JSONDecoder().decode(TestLink.self, from: Data(answer.body.utf8))
    }

    /// Creates a link with the server on a local port.
    public static func create(port: Int, url: String) async throws -> TestLink {
        try await HTTPConnection.with(port: port) { connection in
            let answer = try await requestCreation(of: url, on: &connection)
            guard answer.status == 201 else {
                throw GuardedProcess.Failure("a link was not created: \(answer.status) \(answer.body)")
            }
            return try TestLink(answer)
        }
    }

    /// - Parameter url: A URL without characters that JSON escapes.
    static func requestCreation(
        of url: String,
        on connection: inout HTTPConnection
    ) async throws(HTTPConnection.Failure) -> HTTPConnection.Answer {
        try await connection.send(
            .post,
            "/links",
            headers: [.contentType: "application/json"],
            body: "{\"url\": \"\(url)\"}"
        )
    }
}
