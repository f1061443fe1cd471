// SPDX-License-Identifier: Apache-2.0

import Foundation
import NIOCore

/// Writes server-sent events in the format of the HTML standard.
enum ServerSentEvent {
    static let contentType = "text/event-stream"

    /// Returns the field that sets how long a viewer waits before it reconnects.
    static func retry(after delay: Duration) -> ByteBuffer {
        ByteBuffer(string: "retry: \(Int(delay / .milliseconds(1)))\n\n")
    }

    /// Returns an event with a value as JSON.
    ///
    /// - Parameter id: The value that a viewer sends as `Last-Event-ID` when it reconnects.
    static func encode(_ value: some Encodable, id: Int) -> ByteBuffer {
        var event = ByteBuffer(string: "id: \(id)\ndata: ")
        // Encoding numbers, texts and Booleans cannot fail. Without pretty printing the JSON has no line ends.
        guard let json = try? JSONEncoder().encode(value) else { return ByteBuffer() }
        event.writeBytes(json)
        event.writeString("\n\n")
        return event
    }
}
