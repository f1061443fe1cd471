// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A stored link.
struct Link: Sendable, Equatable {
    let code: LinkCode
    let url: String
    let created: Date
    /// The number of times it was followed.
    let count: Int
}
