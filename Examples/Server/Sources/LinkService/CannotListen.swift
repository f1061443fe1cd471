// SPDX-License-Identifier: Apache-2.0

import NIOCore

/// The service cannot listen on its address.
public struct CannotListen: Error, CustomStringConvertible {
    let address: String
    let cause: IOError

    public var description: String { "The service cannot listen on \(address): \(cause)" }
}
