// SPDX-License-Identifier: Apache-2.0

import NIOCore

#if RedisTLS
    import NIOSSL
    import Synchronization

    /// Encrypts connections according to a ``RedisTLSConfiguration``.
    ///
    /// The certificates are loaded once, and again when one of their files has changed.
    final class TLSContext: Sendable {
        private struct Loaded {
            let context: NIOSSLContext
            let versions: [FileVersion?]
        }

        private let configuration: RedisTLSConfiguration
        /// The name to send and to verify; `nil` if the server is known by its IP address only.
        private let serverName: String?
        /// The name or address of the server, for error messages.
        let peerName: String
        private let loaded: Mutex<Loaded>

        /// Loads the certificates.
        ///
        /// - Throws: ``RedisError/Code/invalidConfiguration`` with a message that names the file.
        init(_ configuration: RedisTLSConfiguration, endpoint: RedisConfiguration.Endpoint) throws {
            self.configuration = configuration
            if let name = configuration.serverName {
                (serverName, peerName) = (name, name)
            } else if case .tcp(let host, _) = endpoint {
                // Certificates contain IP addresses as such; NIOSSL verifies them against the address of the channel.
                (serverName, peerName) = (RedisConfiguration.isAddress(host) ? nil : host, host)
            } else {
                (serverName, peerName) = (nil, "\(endpoint)")
            }
            loaded = Mutex(try Self.load(configuration))
        }

        /// Adds encryption to a channel that is being set up. To be called on its event loop.
        func encrypt(_ channel: any Channel) throws {
            let handler = try NIOSSLClientHandler(context: currentContext(), serverHostname: serverName)
            try channel.pipeline.syncOperations.addHandler(handler)
        }

        private func currentContext() -> NIOSSLContext {
            loaded.withLock { loaded in
                let versions = configuration.files.map(FileVersion.init)
                // While a file is being replaced, or is damaged, the certificates that were valid before stay in use.
                if versions != loaded.versions, let reloaded = try? Self.load(configuration) { loaded = reloaded }
                return loaded.context
            }
        }

        private static func load(_ configuration: RedisTLSConfiguration) throws -> Loaded {
            let versions = configuration.files.map(FileVersion.init)
            var tls = TLSConfiguration.makeClientConfiguration()
            tls.minimumTLSVersion = .tlsv12
            // A server that does not answer must not hold up the closing of its connections.
            tls.shutdownTimeout = .seconds(1)
            switch configuration.verification {
            case .full: tls.certificateVerification = .fullVerification
            case .withoutName: tls.certificateVerification = .noHostnameVerification
            case .none: tls.certificateVerification = .none
            }
            if case .certificates(let pem) = configuration.trustRoots {
                tls.trustRoots = .certificates(try certificates(pem, "trust roots"))
            }
            if let client = configuration.clientCertificate {
                tls.certificateChain = try certificates(client.chain, "client certificate").map { .certificate($0) }
                tls.privateKey = .privateKey(try privateKey(client.privateKey))
            }
            do {
                return Loaded(context: try NIOSSLContext(configuration: tls), versions: versions)
            } catch {
                let text = "TLS cannot be set up. Check that the private key belongs to the client certificate"
                throw RedisError(.invalidConfiguration, "\(text): \(error)", underlyingError: error)
            }
        }

        private static func certificates(_ pem: RedisTLSConfiguration.PEM, _ what: String) throws -> [NIOSSLCertificate]
        {
            let certificates: [NIOSSLCertificate]
            do {
                certificates =
                    switch pem {
                    case .file(let path): try NIOSSLCertificate.fromPEMFile(path)
                    case .text(let text): try NIOSSLCertificate.fromPEMBytes(Array(text.utf8))
                    }
            } catch {
                throw unusable(what, pem, "no certificates in PEM format", error)
            }
            guard !certificates.isEmpty else { throw unusable(what, pem, "no certificates in PEM format", nil) }
            return certificates
        }

        private static func privateKey(_ pem: RedisTLSConfiguration.PEM) throws -> NIOSSLPrivateKey {
            do {
                return switch pem {
                case .file(let path): try NIOSSLPrivateKey(file: path, format: .pem)
                case .text(let text): try NIOSSLPrivateKey(bytes: Array(text.utf8), format: .pem)
                }
            } catch {
                throw unusable("private key", pem, "no private key in PEM format, or one with a passphrase", error)
            }
        }

        private static func unusable(
            _ what: String,
            _ pem: RedisTLSConfiguration.PEM,
            _ contents: String,
            _ error: (any Error)?
        ) -> RedisError {
            let message =
                switch pem {
                case .file(let path) where FileVersion(path: path) == nil: "The file \(path) (\(what)) does not exist."
                case .file(let path): "The file \(path) (\(what)) contains \(contents)."
                case .text: "The text of the \(what) contains \(contents)."
                }
            return RedisError(.invalidConfiguration, message, underlyingError: error)
        }
    }

    extension RedisTLSConfiguration {
        /// The paths of all files that the configuration names.
        fileprivate var files: [String] {
            var sources: [PEM] = []
            if case .certificates(let pem) = trustRoots { sources.append(pem) }
            if let clientCertificate { sources += [clientCertificate.chain, clientCertificate.privateKey] }
            return sources.compactMap { source in
                if case .file(let path) = source { path } else { nil }
            }
        }
    }
#else
    /// Stands in for TLS where the trait `RedisTLS` is off.
    final class TLSContext: Sendable {
        /// Refuses every configuration: this build has no TLS.
        init(_ configuration: RedisTLSConfiguration, endpoint: RedisConfiguration.Endpoint) throws {
            throw RedisError(
                .invalidConfiguration,
                "The connection to \(endpoint) must be encrypted, but BurstPoolRedis was built without TLS. "
                    + "Enable the trait RedisTLS of the package swift-burst-pool."
            )
        }

        func encrypt(_ channel: any Channel) throws {}
    }
#endif
