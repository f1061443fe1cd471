/// How a service is.
public enum DogStatsDServiceStatus: Int, Sendable, Hashable, CaseIterable {
    case ok = 0
    case warning = 1
    case critical = 2
    case unknown = 3
}

/// How a service is, as it is sent.
struct ServiceCheck: Sendable {
    var name: String
    var status: DogStatsDServiceStatus
    var message: String?
    var hostname: String?
    /// Seconds after 1970.
    var timestamp: Int64?
    var tags: [DogStatsDTag]
}
