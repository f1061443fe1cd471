// SPDX-License-Identifier: Apache-2.0

/// Bytes that are sent together, and the messages that they contain.
struct Datagram: Sendable {
    private(set) var bytes: [UInt8] = []
    private(set) var messages = 0
    /// The aggregated values in the messages, to be added back if the datagram is dropped.
    private(set) var values: [TakenValue] = []

    /// Returns whether another message fits, including the line feed before it.
    func hasRoom(for count: Int, of size: Int) -> Bool {
        bytes.count + (messages > 0 ? 1 : 0) + count <= size
    }

    mutating func append(_ message: UnsafeRawBufferPointer, _ value: TakenValue?, _ size: Int) {
        if messages > 0 { bytes.append(UInt8(ascii: "\n")) } else { bytes.reserveCapacity(size) }
        bytes.append(contentsOf: message)
        messages += 1
        if let value { values.append(value) }
    }
}

/// The kinds of messages that are counted separately.
enum MessageKind {
    case metric, event, serviceCheck
}
