import Foundation
import NIOCore

/// The text format of server-sent events, as HTML defines it.
enum ServerSentEvent {
    static let contentType = "text/event-stream"

    /// Tells the viewer how long to wait before it connects again.
    static func retry(after delay: Duration) -> ByteBuffer {
        ByteBuffer(string: "retry: \(Int(delay / .milliseconds(1)))\n\n")
    }

    /// - Parameter id: What the viewer sends back as `Last-Event-ID` when it connects again.
    static func encode(_ value: some Encodable, id: Int) -> ByteBuffer {
        var event = ByteBuffer(string: "id: \(id)\ndata: ")
        // Of numbers and truth values only, encoding cannot fail; and without pretty printing it has no line ends.
        guard let json = try? JSONEncoder().encode(value) else { return ByteBuffer() }
        event.writeBytes(json)
        event.writeString("\n\n")
        return event
    }
}
