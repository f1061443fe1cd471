// SPDX-License-Identifier: Apache-2.0

/// What ``ConnectionPool/forEachConnection(_:)`` has done.
public struct ConnectionVisitResult: Sendable {
    /// The number of connections on which the body has returned.
    public internal(set) var visited = 0

    /// The errors that the body has thrown. The pool has closed the connections on which it did.
    public internal(set) var failures: [any Error] = []

    /// The number of connections that were left out because the calling task itself uses them in bodies of `withConnection`.
    public internal(set) var heldByCaller = 0

    /// Whether the calling task was cancelled before all connections were visited.
    public internal(set) var isCancelled = false
}

extension ConnectionVisitResult: CustomStringConvertible {
    public var description: String {
        var text = "\(visited) connections were visited"
        if let error = failures.first {
            text += ", and \(failures.count) were closed because of errors, such as: \(error)"
        }
        if heldByCaller > 0 { text += ", and \(heldByCaller) were left out because the calling task holds them" }
        return text + (isCancelled ? ". The task was cancelled before the end." : ".")
    }
}
