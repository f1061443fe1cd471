// SPDX-License-Identifier: Apache-2.0

import CLibPQ

/// The encoded parameters of one statement, in the form in which libpq takes them.
struct ParameterBuffer {
    private var bytes: [UInt8] = []
    /// Where each value starts in `bytes`; -1 for NULL.
    private var offsets: [Int] = []
    private var lengths: [Int32] = []
    private var formats: [Int32] = []

    /// Encodes the parameters of a statement.
    mutating func encode(_ parameters: [(any PostgresEncodable)?], for statement: PreparedStatement) throws {
        guard parameters.count == statement.parameterTypes.count else {
            throw PostgresError(
                .invalidParameter,
                """
                The statement has \(statement.parameterTypes.count) parameters, and \(parameters.count) were given: \
                \(statement.sql.prefix(200))
                """
            )
        }
        bytes.removeAll(keepingCapacity: true)
        offsets.removeAll(keepingCapacity: true)
        lengths.removeAll(keepingCapacity: true)
        formats.removeAll(keepingCapacity: true)
        for index in parameters.indices {
            try append(parameters[index], type: statement.parameterTypes[index], number: index + 1)
        }
    }

    private mutating func append(_ value: (any PostgresEncodable)?, type: PostgresType, number: Int) throws {
        let start = bytes.count
        var form = PostgresParameterWriter.Form.null
        if let value {
            // The writer appends to the buffer itself; it is moved there and back, so nothing is copied.
            var writer = PostgresParameterWriter(type: type, appendingTo: exchangeBytes([]))
            defer { bytes = writer.bytes }
            do {
                try value.encode(into: &writer)
            } catch let failure as PostgresParameterError {
                throw PostgresError(.invalidParameter, "Parameter $\(number) of type \(type): \(failure.reason).")
            }
            form = writer.form
        }
        let length = bytes.count - start
        guard let fitting = Int32(exactly: length), fitting < 1 << 30 else {
            throw PostgresError(
                .invalidParameter,
                "Parameter $\(number) has \(length) bytes, and PostgreSQL's values have less than 1 GiB."
            )
        }
        // libpq looks for the end of a text parameter.
        bytes.append(0)
        offsets.append(form == .null ? -1 : start)
        lengths.append(fitting)
        formats.append(form == .binary ? 1 : 0)
    }

    private mutating func exchangeBytes(_ new: [UInt8]) -> [UInt8] {
        var old = new
        swap(&bytes, &old)
        return old
    }

    /// Hands the statement and its parameters to libpq. Returns whether libpq took them.
    func send(_ statement: PreparedStatement, over connection: OpaquePointer) -> Bool {
        let count = Int32(offsets.count)
        let resultFormat: Int32 = statement.returnsBinary ? 1 : 0
        return bytes.withUnsafeBytes { bytes in
            withUnsafeTemporaryAllocation(of: UnsafePointer<CChar>?.self, capacity: offsets.count) { values in
                for (index, offset) in offsets.enumerated() {
                    let value = offset < 0 ? nil : bytes.baseAddress! + offset
                    values.initializeElement(at: index, to: value?.assumingMemoryBound(to: CChar.self))
                }
                if let name = statement.name {
                    return PQsendQueryPrepared(
                        connection,
                        name,
                        count,
                        values.baseAddress,
                        lengths,
                        formats,
                        resultFormat
                    ) != 0
                }
                let types = statement.parameterTypes.map { $0.oid }
                return PQsendQueryParams(
                    connection,
                    statement.sql,
                    count,
                    types,
                    values.baseAddress,
                    lengths,
                    formats,
                    resultFormat
                ) != 0
            }
        }
    }
}
