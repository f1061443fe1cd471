// SPDX-License-Identifier: Apache-2.0

/// Receives the value of one parameter of a statement.
public struct PostgresParameterWriter {
    enum Form { case null, text, binary }

    /// The type that the server expects for the parameter.
    public let type: PostgresType

    /// The bytes of all parameters that have been written so far, this one's at the end.
    var bytes: [UInt8]
    private(set) var form = Form.null
    private let start: Int

    init(type: PostgresType, appendingTo bytes: [UInt8] = []) {
        self.type = type
        self.bytes = bytes
        start = bytes.count
    }

    /// Writes the value as text, which the server converts to the type. This is possible for every type.
    ///
    /// - Throws: If the text contains a zero byte, which PostgreSQL does not allow in text.
    public mutating func writeText(_ text: String) throws {
        guard !text.utf8.contains(0) else {
            throw error("The text contains a zero byte, which PostgreSQL does not allow")
        }
        restart(.text)
        bytes.append(contentsOf: text.utf8)
    }

    /// Writes the value in the binary format of ``type``.
    public mutating func writeBinary(_ value: some Sequence<UInt8>) {
        restart(.binary)
        bytes.append(contentsOf: value)
    }

    /// Writes an integer in the binary format of ``type``: big-endian.
    public mutating func writeBinary<Integer: FixedWidthInteger>(_ value: Integer) {
        restart(.binary)
        withUnsafeBytes(of: value.bigEndian) { bytes.append(contentsOf: $0) }
    }

    /// Writes NULL.
    public mutating func writeNull() {
        restart(.null)
    }

    /// An error for a value that cannot be sent, to be thrown by an implementation of ``PostgresEncodable``. Its description
    /// will give the number of the parameter and its type.
    public func error(_ reason: String) -> any Error {
        PostgresParameterError(reason: reason)
    }

    /// Forgets what has been written for this parameter.
    private mutating func restart(_ form: Form) {
        bytes.removeSubrange(start...)
        self.form = form
    }
}

/// A parameter cannot be sent. Becomes a ``PostgresError`` when the number of the parameter is known.
struct PostgresParameterError: Error {
    let reason: String
}
