// SPDX-License-Identifier: Apache-2.0

/// The category under which Datadog shows an event.
public enum DogStatsDAlertType: String, Sendable, Hashable, CaseIterable {
    case error, warning, info, success
}

/// The importance of an event.
public enum DogStatsDPriority: String, Sendable, Hashable, CaseIterable {
    case normal, low
}

/// An event for Datadog's event stream.
struct Event: Sendable {
    var title: String
    var text: String
    var alertType: DogStatsDAlertType?
    var priority: DogStatsDPriority?
    var aggregationKey: String?
    var sourceType: String?
    var hostname: String?
    /// Seconds since 1970.
    var timestamp: Int64?
    var tags: [DogStatsDTag]
}
