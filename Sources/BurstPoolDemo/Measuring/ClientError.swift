// SPDX-License-Identifier: Apache-2.0

/// An error of a client that the demo counts by its code.
protocol ClientError: Error {
    /// The kind under which the error is counted.
    var kind: String { get }
    /// The description of the error in one line.
    var line: String { get }
}
