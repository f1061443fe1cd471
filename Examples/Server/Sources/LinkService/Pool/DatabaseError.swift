// SPDX-License-Identifier: Apache-2.0

/// An error of the client of a database.
protocol DatabaseError: Error {
    /// Whether the server or the network caused the error, so that the same request may succeed later.
    var isOutage: Bool { get }

    /// Whether the server answered with the error. Otherwise it could not be reached, or it did not answer.
    var isAnswer: Bool { get }
}
