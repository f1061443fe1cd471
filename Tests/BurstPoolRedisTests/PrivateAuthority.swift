// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A certificate authority in a temporary folder, made with the `openssl` command. The folder is removed with this
/// object.
final class PrivateAuthority: Sendable {
    struct Failure: Error, CustomStringConvertible {
        let description: String
    }

    /// A certificate and its private key.
    struct Identity: Sendable {
        let certificate: String
        let key: String
    }

    private let folder: URL
    private let identity: Identity

    /// The path of the certificate of the authority.
    var certificate: String { identity.certificate }

    init(name: String = "Test Authority") throws {
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("authority-\(UInt32.random(in: 0 ... .max))")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        identity = Identity(
            certificate: folder.appendingPathComponent("ca.pem").path,
            key: folder.appendingPathComponent("ca.key").path
        )
        try Self.openssl(
            [
                "req", "-x509", "-subj", "/CN=\(name)", "-days", "30", "-keyout", identity.key, "-out",
                identity.certificate,
            ]
                + Self.newKey
        )
    }

    deinit { try? FileManager.default.removeItem(at: folder) }

    /// Issues a certificate.
    ///
    /// - Parameters:
    ///   - names: Its subject alternative names, such as `DNS:localhost` and `IP:127.0.0.1`.
    ///   - isExpired: Whether its validity has ended.
    func issue(_ name: String, names: String, isExpired: Bool = false) throws -> Identity {
        func path(_ suffix: String) -> String { folder.appendingPathComponent(name + suffix).path }
        try Self.openssl(
            ["req", "-new", "-subj", "/CN=\(name)", "-keyout", path(".key"), "-out", path(".csr")] + Self.newKey
        )
        try Data("subjectAltName=\(names)\n".utf8).write(to: URL(fileURLWithPath: path(".ext")))
        // `openssl x509` takes a negative number of days, and so makes a certificate whose validity ended in the past.
        try Self.openssl([
            "x509", "-req", "-in", path(".csr"), "-CA", identity.certificate, "-CAkey", identity.key, "-CAcreateserial",
            "-extfile", path(".ext"), "-days", isExpired ? "-1" : "30", "-out", path(".pem"),
        ])
        return Identity(certificate: path(".pem"), key: path(".key"))
    }

    /// Makes a certificate that no authority has signed.
    func selfSigned(_ name: String, names: String) throws -> Identity {
        let certificate = folder.appendingPathComponent(name + ".pem").path
        let key = folder.appendingPathComponent(name + ".key").path
        try Self.openssl(
            [
                "req", "-x509", "-subj", "/CN=\(name)", "-days", "30", "-addext", "subjectAltName=\(names)",
                "-keyout", key, "-out", certificate,
            ] + Self.newKey
        )
        return Identity(certificate: certificate, key: key)
    }

    /// A path in the folder of the authority.
    func path(_ name: String) -> String { folder.appendingPathComponent(name).path }

    private static let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]

    private static func openssl(_ arguments: [String]) throws {
        let process = Process()
        let output = Pipe()
        process.executableURL = URL(fileURLWithPath: "/usr/bin/env")
        process.arguments = ["openssl"] + arguments
        process.standardOutput = output
        process.standardError = output
        process.standardInput = FileHandle.nullDevice
        try process.run()
        let text = String(decoding: output.fileHandleForReading.readDataToEndOfFile(), as: UTF8.self)
        process.waitUntilExit()
        guard process.terminationStatus == 0 else {
            throw Failure(description: "openssl \(arguments.joined(separator: " ")) failed: \(text)")
        }
    }
}
