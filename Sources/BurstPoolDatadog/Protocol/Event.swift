/// How an event is shown.
public enum DogStatsDAlertType: String, Sendable, Hashable, CaseIterable {
    case error, warning, info, success
}

/// How important an event is.
public enum DogStatsDPriority: String, Sendable, Hashable, CaseIterable {
    case normal, low
}

/// Something that happened, as it is sent to Datadog's event stream.
struct Event: Sendable {
    var title: String
    var text: String
    var alertType: DogStatsDAlertType?
    var priority: DogStatsDPriority?
    var aggregationKey: String?
    var sourceType: String?
    var hostname: String?
    /// Seconds after 1970.
    var timestamp: Int64?
    var tags: [DogStatsDTag]
}
