// SPDX-License-Identifier: Apache-2.0

/// A command for the server: its name and its arguments.
///
/// ```swift
/// let replies = try await connection.pipeline([
///     RedisCommand("SET", "greeting", "hello"),
///     RedisCommand("DEL", arguments: keys),
/// ])
/// ```
public struct RedisCommand: Sendable {
    /// The name of the command, followed by its arguments.
    public var arguments: [any RedisArgument]

    /// Creates a command from a list of arguments.
    ///
    /// - Parameters:
    ///   - name: The name of the command, such as `"GET"`. Redis ignores its case.
    ///   - arguments: The arguments. Each is sent as one argument, whatever it contains.
    public init(_ name: String, _ arguments: any RedisArgument...) {
        self.init(name, arguments: arguments)
    }

    /// Creates a command from an array of arguments.
    public init(_ name: String, arguments: [any RedisArgument]) {
        self.arguments = []
        self.arguments.reserveCapacity(arguments.count + 1)
        self.arguments.append(name)
        self.arguments.append(contentsOf: arguments)
    }

    /// The name of the command in upper case; empty if it is not a text.
    var name: String {
        (arguments.first as? String)?.uppercased() ?? ""
    }
}
