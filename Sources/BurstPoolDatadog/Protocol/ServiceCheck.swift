// SPDX-License-Identifier: Apache-2.0

/// The result of a service check.
public enum DogStatsDServiceStatus: Int, Sendable, Hashable, CaseIterable {
    case ok = 0
    case warning = 1
    case critical = 2
    case unknown = 3
}

/// A service check.
struct ServiceCheck: Sendable {
    var name: String
    var status: DogStatsDServiceStatus
    var message: String?
    var hostname: String?
    /// Seconds since 1970.
    var timestamp: Int64?
    var tags: [DogStatsDTag]
}
