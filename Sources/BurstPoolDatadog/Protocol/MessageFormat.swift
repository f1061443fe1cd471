/// How the client's messages look: what all of them have in common, and how each kind is written.
///
/// The order of the fields is the one of the protocol's description. Nothing here allocates but what Swift's description of
/// a number does.
struct MessageFormat: Sendable {
    private let prefix: String
    private let globalTags: [DogStatsDTag]
    /// `|c:…|e:…`, the origin.
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
            for (mark, text) in [("|c:", containerID), ("|e:", externalData)] {
                guard let text, !text.isEmpty else { continue }
                writer.write(mark)
                writer.writeField(text)
            }
            count = writer.count
        }
    }
}

// MARK: - Metrics

/// The kinds of metrics, by the letters that the protocol has for them.
enum MetricType: Sendable, Hashable {
    case count, gauge, histogram, distribution, timing, set

    var mark: String {
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
    /// The name of a metric as it is sent, with the prefix; `nil` if nothing is left of it.
    func name(_ name: String) -> String? {
        if prefix.isEmpty { return MetricName.sanitized(name) }
        return MetricName.sanitizedRest(name).map { prefix + $0 }
    }

    /// A metric.
    ///
    /// - Parameters:
    ///   - name: As it is sent: see ``name(_:)``.
    ///   - writeValue: Writes the value, or several with a `:` between them (protocol 1.1).
    ///   - sampleRate: The part of the values that is sent; 1 is not written.
    ///   - timestamp: Seconds after 1970 (protocol 1.3).
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
        writer.write(type.mark)
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
    /// An event, whose title must not be empty.
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

    /// A service check, whose name must not be empty. Its message comes last, as the protocol wants it.
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
            writer.writeEscaped(message, escapesMessageMark: true, replacesBars: true)
        }
    }

    private func writeField(_ mark: String, _ text: String?, into writer: inout ByteWriter) {
        guard let text, !text.isEmpty else { return }
        writer.write(mark)
        writer.writeField(text)
    }
}
