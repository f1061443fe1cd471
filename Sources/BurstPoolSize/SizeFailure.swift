// SPDX-License-Identifier: Apache-2.0

/// The reason why the command cannot answer, for its user.
struct SizeFailure: Error, Hashable, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
