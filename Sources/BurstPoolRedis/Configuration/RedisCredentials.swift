// SPDX-License-Identifier: Apache-2.0

/// A user name and a password, and how long they are valid.
///
/// A closure that returns credentials replaces the fixed ones of ``RedisConfiguration`` where passwords rotate or
/// tokens expire:
/// ```swift
/// let strategy = try RedisConnectionStrategy(configuration: configuration) {
///     let token = try await tokens.current()
///     return RedisCredentials(username: "app", password: token.value, validFor: token.remainingTime)
/// }
/// ```
public struct RedisCredentials: Sendable, Hashable {
    /// The user to authenticate as. `nil`: the default user.
    public var username: String?

    /// The password, or the token that serves as one.
    public var password: String

    /// How long the credentials are valid, from the moment at which the closure returns them. `nil`: unknown.
    ///
    /// Credentials with a validity are cached for that time, and the pool closes the connections that were opened with
    /// them when it ends. Credentials without one are not cached: the closure is called for each connection that opens.
    public var validFor: Duration?

    /// Creates credentials.
    public init(username: String? = nil, password: String, validFor: Duration? = nil) {
        self.username = username
        self.password = password
        self.validFor = validFor
    }
}

extension RedisCredentials: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The user and the validity, without the password.
    public var description: String {
        let user = username.map { "user \($0)" } ?? "default user"
        return "\(user), password (hidden)" + (validFor.map { ", valid for \($0)" } ?? "")
    }

    public var debugDescription: String { description }

    /// Keeps the password out of `dump` and of test reports.
    public var customMirror: Mirror { Mirror(self, children: ["credentials": description]) }
}
