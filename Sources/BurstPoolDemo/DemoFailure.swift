// SPDX-License-Identifier: Apache-2.0

/// The reason why the demo cannot run, for its user.
struct DemoFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
