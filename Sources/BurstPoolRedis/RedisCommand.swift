/// A command for the server: its name and its arguments.
///
/// ```swift
/// let replies = try await connection.pipeline([
///     RedisCommand("SET", "greeting", "hello"),
///     RedisCommand("DEL", arguments: keys),
/// ])
/// ```
public struct RedisCommand: Sendable {
    /// The name of the command and all that follows it.
    public var arguments: [any RedisArgument]

    /// A command with arguments that are written out.
    ///
    /// - Parameters:
    ///   - name: The command, such as `"GET"`. Upper and lower case are the same to Redis.
    ///   - arguments: What follows, each sent as one argument whatever it contains.
    public init(_ name: String, _ arguments: any RedisArgument...) {
        self.init(name, arguments: arguments)
    }

    /// A command with arguments that are in an array.
    public init(_ name: String, arguments: [any RedisArgument]) {
        self.arguments = []
        self.arguments.reserveCapacity(arguments.count + 1)
        self.arguments.append(name)
        self.arguments.append(contentsOf: arguments)
    }
}
