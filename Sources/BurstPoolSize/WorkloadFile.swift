// SPDX-License-Identifier: Apache-2.0

import BurstPoolSizing
import Foundation

/// Reads what a `WorkloadRecorder` has recorded, from JSON.
enum WorkloadFile {
    /// - Parameter path: A path, or `-` for standard input.
    static func read(_ path: String) throws(SizeFailure) -> RecordedWorkload {
        let name = path == "-" ? "standard input" : path
        let data: Data
        do {
            data =
                try path == "-"
                ? FileHandle.standardInput.readToEnd() ?? Data() : Data(contentsOf: URL(filePath: path))
        } catch {
            throw SizeFailure("The workload could not be read from \(name): \(error.localizedDescription)")
        }
        return try decode(data, from: name)
    }

    static func decode(_ data: Data, from name: String) throws(SizeFailure) -> RecordedWorkload {
        do {
            return try JSONDecoder().decode(RecordedWorkload.self, from: data)
        } catch {
            throw SizeFailure(
                "\(name) is not a recorded workload: \(reason(error)) Encode the `workload` of a WorkloadRecorder with a JSONEncoder."
            )
        }
    }

    private static func reason(_ error: any Error) -> String {
        switch error as? DecodingError {
        case .keyNotFound(let key, _): "It has no \"\(key.stringValue)\"."
        case .typeMismatch(_, let context), .valueNotFound(_, let context):
            "The value of \"\(path(context))\" is of another type."
        case .dataCorrupted(let context):
            context.codingPath.isEmpty ? "It is not JSON." : "\"\(path(context))\": \(context.debugDescription)"
        default: "\(error)."
        }
    }

    private static func path(_ context: DecodingError.Context) -> String {
        context.codingPath.map(\.stringValue).joined(separator: ".")
    }
}
