// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Foundation
import HTTPTypes
import Hummingbird

/// The routes that create, follow and describe links.
struct LinkRoutes<Strategy: ConnectionStrategy> where Strategy.Connection: LinkConnection {
    let store: LinkStore<Strategy>
    /// The beginning of short URLs; `nil` means the address of the request.
    let publicURL: String?

    private struct NewLink: Decodable {
        let url: String
    }

    private struct LinkDescription: ResponseEncodable {
        let code: String
        let shortURL: String
        let url: String
        let created: Date
        let count: Int
    }

    func add(to router: some RouterMethods<ServiceContext>) {
        router.post("links", use: create)
        router.get("links/:code", use: describe)
        router.get(":code", use: follow)
        router.head(":code", use: lookUp)
    }

    private func create(_ request: Request, _ context: ServiceContext) async throws -> Response {
        let new = try await request.decode(as: NewLink.self, context: context)
        let address: LinkAddress
        do {
            address = try LinkAddress(new.url)
        } catch {
            throw Problem(.unprocessableContent, "'url' cannot be shortened: \(error.reason).")
        }
        let link = try await store.create(address)
        var response = try description(of: link, for: request).response(from: request, context: context)
        response.status = .created
        response.headers[.location] = "/links/\(link.code)"
        return response
    }

    private func describe(_ request: Request, _ context: ServiceContext) async throws -> LinkDescription {
        guard let link = try await store.find(try code(context)) else { throw Self.unknown }
        return description(of: link, for: request)
    }

    private func follow(_ request: Request, _ context: ServiceContext) async throws -> Response {
        guard let url = try await store.follow(try code(context)) else { throw Self.unknown }
        return redirect(to: url)
    }

    /// Answers HEAD like ``follow(_:_:)`` without counting a use, because HEAD must not change anything.
    private func lookUp(_ request: Request, _ context: ServiceContext) async throws -> Response {
        guard let link = try await store.find(try code(context)) else { throw Self.unknown }
        return redirect(to: link.url)
    }

    private static var unknown: Problem { Problem(.notFound, "There is no such link.") }

    private func code(_ context: ServiceContext) throws -> LinkCode {
        guard let code = LinkCode(try context.parameters.require("code")) else { throw Self.unknown }
        return code
    }

    private func redirect(to url: String) -> Response {
        // Clients must not cache the response, because every use is counted.
        Response(status: .found, headers: [.location: url, .cacheControl: "no-store"])
    }

    private func description(of link: Link, for request: Request) -> LinkDescription {
        let base = publicURL ?? request.head.authority.map { "http://\($0)" } ?? ""
        return LinkDescription(
            code: link.code.text,
            shortURL: "\(base)/\(link.code)",
            url: link.url,
            created: link.created,
            count: link.count
        )
    }
}
