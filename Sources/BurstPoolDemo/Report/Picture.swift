import Foundation

/// The file of the picture. Looked at before the run, so that a path that cannot be written is known at once.
struct Picture {
    private let file: URL

    init(path: String) throws {
        file = URL(fileURLWithPath: path)
        let folder = file.deletingLastPathComponent()
        do {
            try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        } catch {
            throw DemoFailure("the picture cannot be written to \(path): \(error.localizedDescription)")
        }
        var isFolder: ObjCBool = false
        let exists = FileManager.default.fileExists(atPath: file.path, isDirectory: &isFolder)
        guard !isFolder.boolValue else { throw DemoFailure("the picture cannot be written to \(path): it is a folder") }
        guard FileManager.default.isWritableFile(atPath: exists ? file.path : folder.path) else {
            throw DemoFailure("the picture cannot be written to \(path): that is not allowed")
        }
    }

    func write(_ document: String) throws {
        try Data(document.utf8).write(to: file)
    }
}
