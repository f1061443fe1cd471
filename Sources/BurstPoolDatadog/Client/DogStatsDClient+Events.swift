// SPDX-License-Identifier: Apache-2.0

extension DogStatsDClient {
    /// Sends an event to Datadog's event stream.
    ///
    /// The title and the text can have several lines and contain any character. The two characters `\` and `n` are shown as a
    /// line break, because the protocol has only one notation for both. In the other texts, `|` and line breaks become
    /// underscores.
    ///
    /// An event that does not fit into a datagram is dropped as ``DogStatsDStatistics/DropReason/tooLarge``, and an event
    /// without a title as ``DogStatsDStatistics/DropReason/invalid``.
    ///
    /// - Parameters:
    ///   - title: A short description. Must not be empty.
    ///   - text: The details.
    ///   - alertType: The category of the event. Default: `nil`, which the agent treats as ``DogStatsDAlertType/info``.
    ///   - priority: The importance. Default: `nil`, which the agent treats as ``DogStatsDPriority/normal``.
    ///   - aggregationKey: Datadog shows events with the same key as one. Default: `nil`.
    ///   - sourceType: The type of software that sends the event. Default: `nil`.
    ///   - hostname: The host that the event is about. Default: `nil`, the agent's host.
    ///   - timestamp: The time of the event in seconds since 1970. Default: `nil`, the time at which the agent receives it.
    ///   - tags: Tags in addition to the configuration's global tags. Default: none.
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

    /// Sends the result of a service check.
    ///
    /// - Parameters:
    ///   - name: The name of the check. Must not be empty. `|` and line breaks become underscores.
    ///   - status: The result.
    ///   - message: An explanation, which can have several lines. `|` becomes an underscore, because the protocol has no
    ///     notation for it here.
    ///   - hostname: The host on which the service runs. Default: `nil`, the agent's host.
    ///   - timestamp: The time of the check in seconds since 1970. Default: `nil`, the time at which the agent receives it.
    ///   - tags: Tags in addition to the configuration's global tags. Default: none.
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
