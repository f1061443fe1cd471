// SPDX-License-Identifier: Apache-2.0

/// How connections are encrypted, and how the server proves its identity.
///
/// ```swift
/// var configuration = RedisConfiguration(host: "cache.internal", port: 6380)
/// configuration.tls = RedisTLSConfiguration()
/// configuration.tls?.trustRoots = .certificates(.file(path: "/etc/redis/ca.pem"))
/// ```
///
/// The defaults verify the server's certificate and its name against the certificate authorities of the system.
/// TLS 1.2 is the oldest version that is accepted.
///
/// TLS needs the package trait `RedisTLS`, which is on by default.
public struct RedisTLSConfiguration: Sendable, Hashable {
    /// Certificates or a private key in PEM format.
    public enum PEM: Sendable, Hashable {
        /// The path of a PEM file. The file is read again when it changes, so certificates can be renewed without a
        /// restart.
        case file(path: String)
        /// The text of a PEM file.
        case text(String)
    }

    /// The certificate authorities that may sign the server's certificate.
    public enum TrustRoots: Sendable, Hashable {
        /// The certificate authorities that the operating system trusts.
        case system
        /// These certificates, and no others.
        case certificates(PEM)
    }

    /// What is verified about the server's certificate.
    public enum Verification: Sendable, Hashable {
        /// The certificate is signed by a trusted authority, has not expired, and is valid for the server's name or
        /// address.
        case full
        /// The certificate is signed by a trusted authority and has not expired. Its name is not checked, so any server
        /// with a certificate of that authority is accepted.
        case withoutName
        /// Nothing. The connection is encrypted, but anybody on the network path can read and change it by posing as
        /// the server. For tests only.
        case none
    }

    /// A certificate that identifies this client to the server.
    public struct ClientCertificate: Sendable, Hashable {
        /// The certificate of this client, followed by its intermediate certificates if there are any.
        public var chain: PEM
        /// The private key of the certificate, without a passphrase.
        public var privateKey: PEM

        /// Creates a client certificate from its chain and its private key.
        public init(chain: PEM, privateKey: PEM) {
            self.chain = chain
            self.privateKey = privateKey
        }
    }

    /// The certificate authorities that may sign the server's certificate. Default: those of the system.
    public var trustRoots = TrustRoots.system

    /// What is verified about the server's certificate. Default: everything.
    public var verification = Verification.full

    /// The name that the server's certificate must be valid for, and that is sent to the server as server name
    /// indication (SNI). Default: `nil`, the host of the endpoint.
    ///
    /// Set it if you connect through a tunnel, or by an IP address that the certificate does not contain.
    public var serverName: String?

    /// The certificate that this client presents if the server asks for one. Default: `nil`, none.
    public var clientCertificate: ClientCertificate?

    /// Creates a configuration that verifies the server against the system's certificate authorities.
    public init() {}
}

extension RedisTLSConfiguration: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The configuration in one line, without the text of private keys.
    public var description: String {
        var parts: [String] = []
        if case .certificates(let roots) = trustRoots { parts.append("trust roots \(roots)") }
        switch verification {
        case .full: break
        case .withoutName: parts.append("server name not verified")
        case .none: parts.append("server not verified")
        }
        if let serverName { parts.append("server name \(serverName)") }
        if let clientCertificate { parts.append("client certificate \(clientCertificate.chain)") }
        return parts.isEmpty ? "TLS" : "TLS with " + parts.joined(separator: ", ")
    }

    public var debugDescription: String { description }

    /// Keeps private keys out of `dump` and of test reports.
    public var customMirror: Mirror { Mirror(self, children: ["configuration": description]) }
}

extension RedisTLSConfiguration.PEM: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
    /// The path of the file, or a note that the text is hidden.
    public var description: String {
        switch self {
        case .file(let path): path
        case .text: "given as text"
        }
    }

    public var debugDescription: String { description }

    /// Keeps private keys out of `dump` and of test reports.
    public var customMirror: Mirror { Mirror(self, children: ["source": description]) }
}
