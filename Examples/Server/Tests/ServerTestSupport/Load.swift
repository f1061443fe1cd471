// SPDX-License-Identifier: Apache-2.0

import HTTPTypes
import Synchronization

/// Clients that follow and create links without a pause, and record the outcome of every request.
public final class Load: Sendable {
    public struct Request: Sendable {
        public enum Outcome: Sendable, Equatable {
            /// The server redirected to the link's URL.
            case followed
            /// The server created the link.
            case created
            /// The server answered with a correct 503 response: a problem with a retry time.
            case unavailable
            /// The server sent another response.
            case wrong(String)
            /// Nothing listened, so no request was sent.
            case refused
            /// The connection ended before the response.
            case closedBeforeAnswer
            /// The connection ended during the response.
            case cut
            /// No response arrived within a minute.
            case timedOut
        }

        /// The index of the link to follow; `nil` for a request that creates a link.
        public let link: Int?
        public let began: ContinuousClock.Instant
        public let ended: ContinuousClock.Instant
        public let outcome: Outcome
    }

    private let links: [TestLink]
    private let port: Int
    private let hasToStop = Atomic(false)
    private let followed = Atomic(0)
    private let endsWhenRefused: Bool

    private init(links: [TestLink], port: Int, endsWhenRefused: Bool) {
        self.links = links
        self.port = port
        self.endsWhenRefused = endsWhenRefused
    }

    /// Puts a server under load while a body runs.
    ///
    /// Most clients keep their connection. Every fourth client opens one for each request.
    ///
    /// - Parameters:
    ///   - endsWhenRefused: Whether a client stops when nothing listens any more.
    ///   - body: Receives the load to observe its progress.
    /// - Returns: All requests in no particular order.
    public static func run(
        clients: Int,
        links: [TestLink],
        port: Int,
        endsWhenRefused: Bool = false,
        during body: @Sendable (Load) async throws -> Void
    ) async throws -> [Request] {
        let load = Load(links: links, port: port, endsWhenRefused: endsWhenRefused)
        return try await withThrowingTaskGroup(of: [Request].self) { group in
            for number in 0..<clients {
                group.addTask { await load.client(keepsConnection: number % 4 != 3) }
            }
            do {
                try await body(load)
            } catch {
                load.hasToStop.store(true, ordering: .relaxed)
                throw error
            }
            load.hasToStop.store(true, ordering: .relaxed)
            return try await group.reduce(into: []) { $0 += $1 }
        }
    }

    /// Waits until a number of further requests have been redirected.
    public func waitForMore(_ count: Int) async throws {
        let goal = followed.load(ordering: .relaxed) + count
        try await eventually("\(count) more requests are answered") {
            followed.load(ordering: .relaxed) >= goal
        }
    }

    private var goesOn: Bool { !hasToStop.load(ordering: .relaxed) }

    private func client(keepsConnection: Bool) async -> [Request] {
        var requests: [Request] = []
        while goesOn {
            let began = ContinuousClock.now
            do {
                requests += try await HTTPConnection.with(port: port) { connection in
                    var requests: [Request] = []
                    repeat {
                        let request = await self.request(on: &connection)
                        requests.append(request)
                        switch request.outcome {
                        case .followed, .created: break
                        // The client retries, but sooner than the server has asked for.
                        case .unavailable: try? await Task.sleep(for: .milliseconds(10))
                        default: return requests
                        }
                    } while keepsConnection && !connection.isOver && self.goesOn
                    return requests
                }
            } catch {
                requests.append(Request(link: nil, began: began, ended: .now, outcome: .refused))
                if endsWhenRefused { break }
                try? await Task.sleep(for: .milliseconds(10))
            }
        }
        return requests
    }

    private func request(on connection: inout HTTPConnection) async -> Request {
        // 5 % of the requests create a link.
        let link = Int.random(in: 0..<20) == 0 ? nil : Int.random(in: links.indices)
        let began = ContinuousClock.now
        let outcome: Request.Outcome
        do {
            if let link {
                outcome = Self.judge(try await connection.send(.get, "/\(links[link].code)"), toFollow: links[link])
            } else {
                let url = "http://example.org/new/\(UInt64.random(in: 0 ... .max))"
                outcome = Self.judge(try await TestLink.requestCreation(of: url, on: &connection), toCreate: url)
            }
        } catch {
            switch error {
            case .refused: outcome = .refused
            case .closedBeforeAnswer: outcome = .closedBeforeAnswer
            case .cut: outcome = .cut
            case .timedOut: outcome = .timedOut
            }
        }
        if outcome == .followed { followed.add(1, ordering: .relaxed) }
        return Request(link: link, began: began, ended: .now, outcome: outcome)
    }

    private static func judge(_ answer: HTTPConnection.Answer, toFollow link: TestLink) -> Request.Outcome {
        if answer.status == 302, answer.headers[.location] == link.url, answer.body.isEmpty { return .followed }
        return judgeFailure(answer)
    }

    private static func judge(_ answer: HTTPConnection.Answer, toCreate url: String) -> Request.Outcome {
        if answer.status == 201, (try? TestLink(answer))?.url == url { return .created }
        return judgeFailure(answer)
    }

    private static func judgeFailure(_ answer: HTTPConnection.Answer) -> Request.Outcome {
        let isProblem = answer.headers[.contentType] == "application/problem+json"
        if answer.status == 503, isProblem, answer.headers[.retryAfter] == "1" { return .unavailable }
        return .wrong("\(answer.status) \(answer.headers) \(answer.body)")
    }
}

extension [Load.Request] {
    public func count(_ outcome: Load.Request.Outcome) -> Int {
        count { $0.outcome == outcome }
    }

    /// The numbers of outcomes, for a message.
    public var summary: String {
        Dictionary(grouping: self, by: { "\($0.outcome)" }).map { "\($0.key): \($0.value.count)" }.sorted()
            .joined(separator: ", ")
    }
}
