// SPDX-License-Identifier: Apache-2.0

/// Writes the client's messages in the DogStatsD format.
///
/// The fields have the order of the protocol's description.
struct MessageFormat: Sendable {
    private let prefix: String
    private let globalTags: [DogStatsDTag]
    /// The origin fields, `|c:…|e:…`.
    private let origin: [UInt8]

    init(_ configuration: DogStatsDConfiguration) {
        let prefix = MetricName.sanitized(configuration.prefix) ?? ""
        self.prefix = prefix.isEmpty || prefix.utf8.last == UInt8(ascii: ".") ? prefix : prefix + "."
        globalTags = configuration.globalTags.filter { !$0.text.isEmpty }
        origin = Self.origin(containerID: configuration.containerID, externalData: configuration.externalData)
    }

    private static func origin(containerID: String?, externalData: String?) -> [UInt8] {
        let room = 16 + 2 * ((containerID?.utf8.count ?? 0) + (externalData?.utf8.count ?? 0))
        return [UInt8](unsafeUninitializedCapacity: room) { memory, count in
            var writer = ByteWriter(UnsafeMutableRawBufferPointer(memory))
            for (fieldPrefix, text) in [("|c:", containerID), ("|e:", externalData)] {
                guard let text, !text.isEmpty else { continue }
                writer.write(fieldPrefix)
                writer.writeField(text)
            }
            count = writer.count
        }
    }
}

// MARK: - Metrics

/// The metric types of the protocol.
enum MetricType: Sendable, Hashable {
    case count, gauge, histogram, distribution, timing, set

    /// The type field.
    var suffix: String {
        switch self {
        case .count: "|c"
        case .gauge: "|g"
        case .histogram: "|h"
        case .distribution: "|d"
        case .timing: "|ms"
        case .set: "|s"
        }
    }
}

extension MessageFormat {
    /// Returns the name of a metric with the prefix, as it is sent. Returns `nil` if no valid character is left.
    func name(_ name: String) -> String? {
        if prefix.isEmpty { return MetricName.sanitized(name) }
        return MetricName.sanitizedRest(name).map { prefix + $0 }
    }

    /// Writes a metric.
    ///
    /// - Parameters:
    ///   - name: The name as it is sent: see ``name(_:)``.
    ///   - sampleRate: The share of the values that is sent. 1 is not written.
    ///   - timestamp: Seconds since 1970 (protocol 1.3).
    ///   - writeValue: Writes the value, or several values separated by `:` (protocol 1.1).
    func writeMetric(
        named name: String,
        type: MetricType,
        tags: [DogStatsDTag],
        sampleRate: Double = 1,
        timestamp: Int64? = nil,
        into writer: inout ByteWriter,
        value writeValue: (inout ByteWriter) -> Void
    ) {
        writer.write(name)
        writer.write(UInt8(ascii: ":"))
        writeValue(&writer)
        writer.write(type.suffix)
        if sampleRate < 1 {
            writer.write("|@")
            writer.write(sampleRate)
        }
        writeTags(tags, into: &writer)
        writer.write(origin)
        if let timestamp {
            writer.write("|T")
            writer.write(timestamp)
        }
    }

    private func writeTags(_ tags: [DogStatsDTag], into writer: inout ByteWriter) {
        var isFirst = true
        for tag in tags where !tag.text.isEmpty { writeTag(tag, isFirst: &isFirst, into: &writer) }
        for tag in globalTags { writeTag(tag, isFirst: &isFirst, into: &writer) }
    }

    private func writeTag(_ tag: DogStatsDTag, isFirst: inout Bool, into writer: inout ByteWriter) {
        writer.write(isFirst ? "|#" : ",")
        writer.write(tag.text)
        isFirst = false
    }
}

// MARK: - Events and service checks

extension MessageFormat {
    /// Writes an event. Its title must not be empty.
    func writeEvent(_ event: Event, into writer: inout ByteWriter) {
        writer.write("_e{")
        writer.write(Int64(ByteWriter.escapedCount(event.title)))
        writer.write(",")
        writer.write(Int64(ByteWriter.escapedCount(event.text)))
        writer.write("}:")
        writer.writeEscaped(event.title)
        writer.write("|")
        writer.writeEscaped(event.text)
        if let timestamp = event.timestamp {
            writer.write("|d:")
            writer.write(timestamp)
        }
        writeField("|h:", event.hostname, into: &writer)
        writeField("|k:", event.aggregationKey, into: &writer)
        if let priority = event.priority {
            writer.write("|p:")
            writer.write(priority.rawValue)
        }
        writeField("|s:", event.sourceType, into: &writer)
        if let alertType = event.alertType {
            writer.write("|t:")
            writer.write(alertType.rawValue)
        }
        writeTags(event.tags, into: &writer)
        writer.write(origin)
    }

    /// Writes a service check. Its name must not be empty. The protocol requires the message to come last.
    func writeServiceCheck(_ check: ServiceCheck, into writer: inout ByteWriter) {
        writer.write("_sc|")
        writer.writeField(check.name)
        writer.write("|")
        writer.write(Int64(check.status.rawValue))
        if let timestamp = check.timestamp {
            writer.write("|d:")
            writer.write(timestamp)
        }
        writeField("|h:", check.hostname, into: &writer)
        writeTags(check.tags, into: &writer)
        writer.write(origin)
        if let message = check.message, !message.isEmpty {
            writer.write("|m:")
            writer.writeEscaped(message, escapesMessagePrefix: true, replacesBars: true)
        }
    }

    private func writeField(_ fieldPrefix: String, _ text: String?, into writer: inout ByteWriter) {
        guard let text, !text.isEmpty else { return }
        writer.write(fieldPrefix)
        writer.writeField(text)
    }
}
