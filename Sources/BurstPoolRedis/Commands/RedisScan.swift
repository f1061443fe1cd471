// SPDX-License-Identifier: Apache-2.0

/// What a scan iterates over.
public struct RedisScanTarget: Sendable {
    fileprivate let command: String
    fileprivate let key: (any RedisArgument)?
    fileprivate let hasPairs: Bool

    /// The keys of the database (`SCAN`).
    public static let keys = RedisScanTarget(command: "SCAN", key: nil, hasPairs: false)

    /// The members of a set (`SSCAN`).
    public static func set(_ key: any RedisArgument) -> RedisScanTarget {
        RedisScanTarget(command: "SSCAN", key: key, hasPairs: false)
    }

    /// The fields of a hash and their values (`HSCAN`). Each element is an array of two.
    public static func hash(_ key: any RedisArgument) -> RedisScanTarget {
        RedisScanTarget(command: "HSCAN", key: key, hasPairs: true)
    }

    /// The members of a sorted set and their scores (`ZSCAN`). Each element is an array of two.
    public static func sortedSet(_ key: any RedisArgument) -> RedisScanTarget {
        RedisScanTarget(command: "ZSCAN", key: key, hasPairs: true)
    }
}

/// The keys of a database, or the elements of a collection, read in portions.
///
/// ```swift
/// for try await key in connection.scan(matching: "session:*") {
///     print(key.string ?? "")
/// }
/// ```
///
/// Redis guarantees that elements that exist during the whole scan are returned at least once. An element may be
/// returned more than once, and one that is added or removed in the meantime may or may not be returned.
///
/// The scan uses its connection, so it must not outlive the lease. Between two elements the connection may be used for
/// other commands.
public struct RedisScan: AsyncSequence {
    public typealias Element = RedisReply

    fileprivate let connection: RedisConnection
    fileprivate let target: RedisScanTarget
    fileprivate let options: [any RedisArgument]

    public struct AsyncIterator: AsyncIteratorProtocol {
        private let scan: RedisScan
        private var cursor: String?
        private var portion: ArraySlice<RedisReply> = []

        fileprivate init(_ scan: RedisScan) {
            self.scan = scan
            cursor = "0"
        }

        /// Returns the next element, and asks the server for more when the current portion is used up.
        public mutating func next() async throws -> RedisReply? {
            // A portion may be empty although the scan has not ended.
            while portion.isEmpty {
                guard let cursor else { return nil }
                try await fetch(from: cursor)
            }
            guard scan.target.hasPairs else { return portion.removeFirst() }
            defer { portion = portion.dropFirst(2) }
            return .array(Array(portion.prefix(2)))
        }

        private mutating func fetch(from cursor: String) async throws {
            let key = scan.target.key.map { [$0] } ?? []
            let command = RedisCommand(scan.target.command, arguments: key + [cursor] + scan.options)
            let reply = try await scan.connection.send(command)
            guard let parts = reply.array, parts.count == 2, let next = parts[0].string, let elements = parts[1].array
            else {
                throw RedisError(.protocolError, "The server answered \(scan.target.command) with \(reply.summary).")
            }
            self.cursor = next == "0" ? nil : next
            portion = elements[...]
        }
    }

    public func makeAsyncIterator() -> AsyncIterator {
        AsyncIterator(self)
    }
}

@available(*, unavailable)
extension RedisScan: Sendable {}

@available(*, unavailable)
extension RedisScan.AsyncIterator: Sendable {}

extension RedisConnection {
    /// Iterates over the keys of the database, or over the elements of a collection, without blocking the server for
    /// long.
    ///
    /// - Parameters:
    ///   - target: What to iterate over. Default: the keys of the database.
    ///   - pattern: Only elements that match this pattern, such as `session:*`. Default: all.
    ///   - count: About how many elements the server looks at for each round trip. Default: `nil`, the server's default
    ///     of 10.
    ///   - type: Only keys of this type, such as `hash`. For ``RedisScanTarget/keys`` only. Default: all.
    public func scan(
        _ target: RedisScanTarget = .keys,
        matching pattern: String? = nil,
        count: Int? = nil,
        type: String? = nil
    ) -> RedisScan {
        var options: [any RedisArgument] = []
        if let pattern { options += ["MATCH", pattern] as [any RedisArgument] }
        if let count { options += ["COUNT", count] as [any RedisArgument] }
        if let type { options += ["TYPE", type] as [any RedisArgument] }
        return RedisScan(connection: self, target: target, options: options)
    }
}
