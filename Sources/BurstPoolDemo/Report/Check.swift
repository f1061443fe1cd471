// SPDX-License-Identifier: Apache-2.0

/// A condition that every run must meet.
struct Check: Codable {
    let name: String
    let passed: Bool
    /// The result in detail.
    let detail: String

    init(_ name: String, _ passed: Bool, _ detail: String) {
        self.name = name
        self.passed = passed
        self.detail = detail
    }
}
