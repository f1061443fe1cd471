extension DogStatsDClient {
    /// Sends something that happened, for Datadog's event stream.
    ///
    /// Title and text can have several lines and contain any character. A text of the two characters `\` and `n` is shown as
    /// a line break: the protocol has only one way to write both. In the other texts `|` and line breaks become underscores.
    ///
    /// An event that does not fit into a datagram is dropped as ``DogStatsDStatistics/DropReason/tooLarge``, and one without
    /// a title as ``DogStatsDStatistics/DropReason/invalid``.
    ///
    /// - Parameters:
    ///   - title: A line about what happened. Not empty.
    ///   - text: What there is to say about it.
    ///   - alertType: How it is shown. Default: `nil`, the agent's choice: ``DogStatsDAlertType/info``.
    ///   - priority: How important it is. Default: `nil`, the agent's choice: ``DogStatsDPriority/normal``.
    ///   - aggregationKey: Events with the same key are shown as one. Default: `nil`.
    ///   - sourceType: What kind of software it comes from. Default: `nil`.
    ///   - hostname: Where it happened. Default: `nil`, the agent's host.
    ///   - timestamp: When it happened, in seconds after 1970. Default: `nil`, when the agent gets it.
    ///   - tags: Besides the configuration's global ones. Default: none.
    public func event(
        title: String,
        text: String,
        alertType: DogStatsDAlertType? = nil,
        priority: DogStatsDPriority? = nil,
        aggregationKey: String? = nil,
        sourceType: String? = nil,
        hostname: String? = nil,
        timestamp: Int64? = nil,
        tags: [DogStatsDTag] = []
    ) {
        recorder.send(
            Event(
                title: title,
                text: text,
                alertType: alertType,
                priority: priority,
                aggregationKey: aggregationKey,
                sourceType: sourceType,
                hostname: hostname,
                timestamp: timestamp,
                tags: tags
            )
        )
    }

    /// Says how a service is.
    ///
    /// - Parameters:
    ///   - name: What was checked. Not empty. `|` and line breaks become underscores.
    ///   - status: How it is.
    ///   - message: Why, in any number of lines. `|` becomes an underscore: the protocol has no way to write it here.
    ///   - hostname: Where the service runs. Default: `nil`, the agent's host.
    ///   - timestamp: When it was checked, in seconds after 1970. Default: `nil`, when the agent gets it.
    ///   - tags: Besides the configuration's global ones. Default: none.
    public func serviceCheck(
        _ name: String,
        _ status: DogStatsDServiceStatus,
        message: String? = nil,
        hostname: String? = nil,
        timestamp: Int64? = nil,
        tags: [DogStatsDTag] = []
    ) {
        recorder.send(
            ServiceCheck(
                name: name,
                status: status,
                message: message,
                hostname: hostname,
                timestamp: timestamp,
                tags: tags
            )
        )
    }
}
