// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import ServerTestSupport
import Testing

@testable import LinkService

@Suite("Links", .timeLimit(.minutes(5)))
struct LinkRoutesTests {
    @Test("A link redirects to its URL, and every use is counted", arguments: TestDatabase.allCases)
    func followed(database: TestDatabase) async throws {
        try await withClient(on: database) { client, database in
            let created = try await client.createLink(to: "https://example.com/a?b=c#d")
            #expect(created.status == .created)
            let link = try created.decode(Description.self)
            #expect(created.headers[.location] == "/links/\(link.code)")
            #expect(link.url == "https://example.com/a?b=c#d")
            #expect(link.count == 0)
            #expect(abs(link.created.timeIntervalSinceNow) < 60)
            for _ in 1...3 {
                let answer = try await client.get("/\(link.code)")
                #expect(answer.status == .found)
                #expect(answer.headers[.location] == "https://example.com/a?b=c#d")
                #expect(answer.headers[.cacheControl] == "no-store")
            }
            let described = try await client.get("/links/\(link.code)").decode(Description.self)
            #expect(described.count == 3)
            #expect(described.url == link.url)
            #expect(described.shortURL == link.shortURL)
            #expect(abs(described.created.timeIntervalSince(link.created)) <= 1)
            #expect(try await database.count(of: link.code) == 3)
        }
    }

    @Test("A form creates a link like JSON")
    func form() async throws {
        try await withClient { client, _, _ in
            let answer = try await client.execute(
                .post,
                "/links",
                headers: [.contentType: "application/x-www-form-urlencoded; charset=utf-8"],
                body: "url=http%3A%2F%2Fexample.org%2F%3Fx%3D1%262"
            )
            #expect(answer.status == .created)
            #expect(try answer.decode(Description.self).url == "http://example.org/?x=1&2")
        }
    }

    @Test("HEAD returns the URL of a link without counting a use", arguments: TestDatabase.allCases)
    func head(database: TestDatabase) async throws {
        try await withClient(on: database) { client, _ in
            let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
            let answer = try await client.execute(.head, "/\(link.code)")
            #expect(answer.status == .found)
            #expect(answer.headers[.location] == "http://example.org/")
            #expect(try await client.get("/links/\(link.code)").decode(Description.self).count == 0)
        }
    }

    @Test(
        "What is not an http URL is refused, and the answer says why",
        arguments: [
            ("ftp://example.org/", "http://"), ("javascript:alert(1)", "http://"), ("example.org", "http://"),
            ("http://", "host"), ("https:///path", "host"), ("", "http://"), ("http://example.org/a b", "spaces"),
            ("http://example.org/\r\nSet-Cookie: a=b", "spaces"), ("http://example.org/é", "%"),
            ("http://example.org/%zz", "not a URL"),
            ("http://example.org/" + String(repeating: "a", count: 2030), "2048"),
        ]
    )
    func refused(url: String, reason: String) async throws {
        try await withClient { client, _, redis in
            let answer = try await client.createLink(to: url)
            #expect(answer.status == .unprocessableContent)
            #expect(answer.headers[.contentType] == "application/problem+json")
            let problem = try answer.decode(ProblemBody.self)
            #expect(problem.status == 422)
            #expect(problem.detail.contains(reason), "\(problem.detail)")
            #expect(try await redis.linkCount() == 0)
        }
    }

    @Test("A URL of the maximum length is stored unchanged", arguments: TestDatabase.allCases)
    func longest(database: TestDatabase) async throws {
        try await withClient(on: database) { client, _ in
            let url = "http://example.org/" + String(repeating: "a", count: 2048 - 19)
            let link = try await client.createLink(to: url).decode(Description.self)
            #expect(try await client.get("/\(link.code)").headers[.location] == url)
        }
    }

    @Test(
        "A missing resource is a problem with the status 404",
        arguments: ["/abcdefgh", "/links/abcdefgh", "/short", "/abcdefg%2F", "/no/such/path", "/links/abcdefgh/more"]
    )
    func missing(path: String) async throws {
        try await withClient { client, _, _ in
            let answer = try await client.get(path)
            #expect(answer.status == .notFound)
            #expect(answer.headers[.contentType] == "application/problem+json")
            let problem = try answer.decode(ProblemBody.self)
            #expect(problem.status == 404)
            #expect(problem.type == "about:blank")
            #expect(problem.title == "Not Found")
            #expect(!problem.detail.isEmpty)
        }
    }

    @Test("Following a missing link does not create it", arguments: TestDatabase.allCases)
    func missingStaysMissing(database: TestDatabase) async throws {
        try await withClient(on: database) { client, database in
            let answer = try await client.get("/abcdefgh")
            #expect(answer.status == .notFound)
            #expect(try await client.get("/links/abcdefgh").status == .notFound)
            #expect(try await database.linkCount() == 0)
        }
    }

    @Test(
        "An invalid body is a problem with the matching status",
        arguments: [
            ("text/plain", "{\"url\": \"http://example.org/\"}", 415), ("application/json", "{\"ur", 400),
            ("application/json", "{\"link\": \"http://example.org/\"}", 400), ("application/json", "{\"url\": 5}", 400),
            ("application/json", "", 400), ("application/x-www-form-urlencoded", "link=http://example.org/", 400),
            ("application/json", String(repeating: " ", count: 16 * 1024 + 1), 413),
        ]
    )
    func unreadable(type: String, body: String, status: Int) async throws {
        try await withClient { client, _, _ in
            let answer = try await client.execute(
                .post,
                "/links",
                headers: [.contentType: type],
                body: body
            )
            #expect(answer.status.code == status)
            #expect(answer.headers[.contentType] == "application/problem+json")
            #expect(try answer.decode(ProblemBody.self).status == status)
        }
    }

    @Test("Short URLs begin with the public URL if it is set")
    func publicURL() async throws {
        try await withClient({ $0.publicURL = "https://s.example" }) { client, _, _ in
            let link = try await client.createLink(to: "http://example.org/").decode(Description.self)
            #expect(link.shortURL == "https://s.example/\(link.code)")
        }
    }
}
