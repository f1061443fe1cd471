// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The file of the picture. It is checked before the run, so that an invalid path is reported early.
struct Picture {
    private let file: URL

    init(path: String) throws {
        file = URL(fileURLWithPath: path)
        let folder = file.deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw DemoFailure("The picture cannot be written to \(path): \(error.localizedDescription)")
        }
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder)
        guard !isFolder.boolValue else {
            throw DemoFailure("The picture cannot be written to \(path), because it is a folder.")
        }
        guard FileManager.default.isWritableFile(atPath: exists ? file.path : folder.path) else {
            throw DemoFailure("The picture cannot be written to \(path), because writing is not permitted.")
        }
    }

    func write(_ document: String) throws {
        try Data(document.utf8).write(to: file)
    }
}
