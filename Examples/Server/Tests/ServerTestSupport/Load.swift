import HTTPTypes
import Synchronization

/// Many clients that follow links, and create some, without a pause, and write down what became of each request.
public final class Load: Sendable {
    public struct Request: Sendable {
        public enum Outcome: Sendable, Equatable {
            /// The server redirected to where the link leads.
            case followed
            /// The server created the link that was asked for.
            case created
            /// The server answered with 503, as it should: with a problem, and when to try again.
            case unavailable
            /// The server answered with something else.
            case wrong(String)
            /// Nobody listened. No connection, so no request was sent.
            case refused
            /// The connection ended before an answer began.
            case closedBeforeAnswer
            /// The connection ended in the middle of an answer.
            case cut
            /// No answer came within a minute.
            case timedOut
        }

        /// Which of the links was to be followed; `nil` if one was to be created.
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
    /// Most clients keep their connection, every fourth makes one for each request.
    ///
    /// - Parameters:
    ///   - endsWhenRefused: Whether a client goes home when nobody listens, for it is the end of the server.
    ///   - body: Is given the load, to see how it gets on.
    /// - Returns: What became of all requests, in no order.
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

    /// Waits until so many more requests have been answered with a redirection.
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
                        // A client that is told to come back later does, though sooner than it was told.
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
        // One in twenty creates a link.
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

    /// How often each outcome came, for a message.
    public var summary: String {
        Dictionary(grouping: self, by: { "\($0.outcome)" }).map { "\($0.key): \($0.value.count)" }.sorted()
            .joined(separator: ", ")
    }
}
