// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Certificates for tests, made by `openssl`.
enum Certificates {
    /// Makes an authority, a server certificate that it signs, and another authority that nobody trusts.
    static func make(in folder: URL) throws {
        let openssl = try Command.find("openssl")
        func path(_ name: String) -> String { folder.appendingPathComponent(name).path }
        let newKey = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
        for name in ["authority", "stranger"] {
            try Command.run(
                openssl,
                ["req", "-x509"] + newKey + [
                    "-days", "2", "-subj", "/CN=burst-pool \(name)", "-keyout", path("\(name).key"),
                    "-out", path("\(name).crt"),
                ]
            )
        }
        try Command.run(
            openssl,
            ["req"] + newKey + ["-subj", "/CN=localhost", "-keyout", path("server.key"), "-out", path("server.csr")]
        )
        try Data("subjectAltName=DNS:localhost,IP:127.0.0.1\n".utf8).write(to: folder.appendingPathComponent("names"))
        try Command.run(
            openssl,
            [
                "x509", "-req", "-in", path("server.csr"), "-CA", path("authority.crt"), "-CAkey",
                path("authority.key"),
                "-CAcreateserial", "-days", "2", "-extfile", path("names"), "-out", path("server.crt"),
            ]
        )
    }
}
