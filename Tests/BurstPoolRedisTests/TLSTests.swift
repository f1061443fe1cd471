// SPDX-License-Identifier: Apache-2.0

#if RedisTLS
    import BurstPoolRedis
    import BurstPoolRedisServer
    import Foundation
    import Testing

    /// Tests against a `redis-server` that listens for TLS, with certificates of a private authority.
    @Suite("TLS", .timeLimit(.minutes(5)))
    struct TLSTests {
        private let authority: PrivateAuthority

        init() throws {
            authority = try PrivateAuthority()
        }

        // MARK: - Success

        @Test(
            "A URL with rediss:// connects with a verified certificate, by name and by address",
            arguments: ["localhost", "127.0.0.1"]
        )
        func verified(host: String) async throws {
            let server = try TLSServer(authority, authority.issue("server", names: "DNS:localhost,IP:127.0.0.1"))
            defer { server.stop() }
            let url =
                "rediss://:secret@\(host):\(server.port)/3?ssl_ca_certs=\(authority.certificate)&client_name=by-tls"
            let strategy = try RedisConnectionStrategy(url: url)
            let connection = try await strategy.makeConnection()
            let info = try await connection.send("CLIENT", "INFO").string ?? ""
            #expect(info.contains(" db=3 ") && info.contains(" name=by-tls "))
            let value = [UInt8](repeating: 7, count: 1 << 20)
            try await connection.send("SET", "large", value)
            #expect(try await connection.send("GET", "large").bytes == value)
            #expect(!strategy.connectionIsClosed(connection))
            try await strategy.closeConnection(connection)
        }

        @Test("The server name replaces the host for verification and server name indication")
        func serverName() async throws {
            let server = try TLSServer(authority, authority.issue("server", names: "DNS:cache.internal"))
            defer { server.stop() }
            try await ping(server.configuration { $0.serverName = "cache.internal" })
        }

        @Test("Verification without the name accepts any name, but only of the trusted authority")
        func withoutName() async throws {
            let server = try TLSServer(authority, authority.issue("server", names: "DNS:elsewhere"))
            defer { server.stop() }
            try await ping(server.configuration { $0.verification = .withoutName })
            let other = try PrivateAuthority(name: "Other Authority")
            let error = await openingError(
                server.configuration {
                    $0.verification = .withoutName
                    $0.trustRoots = .certificates(.file(path: other.certificate))
                }
            )
            #expect(error?.message.contains("signed by 'Test Authority', which is not trusted") == true)
        }

        @Test("Without verification every certificate is accepted")
        func unverified() async throws {
            let server = try TLSServer(authority, authority.selfSigned("self", names: "DNS:elsewhere"))
            defer { server.stop() }
            try await ping(
                server.configuration {
                    $0.verification = .none
                    $0.trustRoots = .system
                }
            )
        }

        @Test("A server that closes a TLS connection is noticed, and closing one from this side is quick")
        func closing() async throws {
            let server = try TLSServer(authority, authority.issue("server", names: "DNS:localhost"))
            defer { server.stop() }
            let strategy = try RedisConnectionStrategy(configuration: server.configuration())
            let (connection, killer) = (try await strategy.makeConnection(), try await strategy.makeConnection())
            let identity = try #require(try await connection.send("CLIENT", "ID").integer)
            try await killer.send("CLIENT", "KILL", "ID", identity)
            #expect(try await eventually { strategy.connectionIsClosed(connection) })
            let error = await redisError { try await connection.send("PING") }
            #expect(error?.code == .connectionClosed)
            #expect(error?.message.lowercased().contains("the server closed the connection") == true)
            let start = ContinuousClock.now
            try await strategy.closeConnection(killer)
            try await strategy.closeConnection(connection)
            #expect(ContinuousClock.now - start < .seconds(4))
        }

        // MARK: - Certificates of the server

        @Test("An expired certificate is refused with its date")
        func expired() async throws {
            let server = try TLSServer(authority, authority.issue("server", names: "DNS:localhost", isExpired: true))
            defer { server.stop() }
            let error = await openingError(server.configuration())
            #expect(error?.code == .tlsFailed)
            #expect(error?.message.contains("Cannot connect to localhost:\(server.port)") == true)
            #expect(
                error?.message.contains("The server's certificate expired on 20") == true,
                "\(error?.message ?? "")"
            )
        }

        @Test(
            "A certificate for another host is refused with the expected name",
            arguments: ["localhost", "127.0.0.1"]
        )
        func wrongHost(host: String) async throws {
            let server = try TLSServer(authority, authority.issue("server", names: "DNS:elsewhere,IP:10.0.0.1"))
            defer { server.stop() }
            let error = await openingError(server.configuration(host: host))
            #expect(error?.code == .tlsFailed)
            #expect(
                error?.message.contains("certificate is not valid for '\(host)'") == true,
                "\(error?.message ?? "")"
            )
        }

        @Test("A self-signed certificate is refused, unless it is a trust root")
        func selfSigned() async throws {
            let identity = try authority.selfSigned("self", names: "DNS:localhost")
            let server = try TLSServer(authority, identity)
            defer { server.stop() }
            let error = await openingError(server.configuration())
            #expect(error?.code == .tlsFailed)
            #expect(error?.message.contains("is self-signed and not among the trust roots") == true)
            let strategy = try RedisConnectionStrategy(configuration: server.configuration())
            #expect(strategy.connectErrorIsPermanent(try #require(error)))
            try await ping(server.configuration { $0.trustRoots = .certificates(.file(path: identity.certificate)) })
        }

        @Test("The authorities of the system do not accept a private authority")
        func systemRoots() async throws {
            let server = try TLSServer(authority, authority.issue("server", names: "DNS:localhost"))
            defer { server.stop() }
            let error = await openingError(server.configuration { $0.trustRoots = .system })
            #expect(error?.code == .tlsFailed)
            #expect(error?.message.contains("signed by 'Test Authority', which is not trusted") == true)
        }

        // MARK: - Certificates of the client

        @Test("A server that requires a client certificate accepts a trusted one only")
        func clientCertificates() async throws {
            let identity = try authority.issue("server", names: "DNS:localhost")
            let server = try TLSServer(authority, identity, requiresClientCertificate: true)
            defer { server.stop() }
            func configuration(_ identity: PrivateAuthority.Identity) -> RedisConfiguration {
                server.configuration {
                    $0.clientCertificate = .init(
                        chain: .file(path: identity.certificate),
                        privateKey: .file(path: identity.key)
                    )
                }
            }
            try await ping(configuration(authority.issue("client", names: "DNS:client")))

            let without = await openingError(server.configuration())
            #expect(without?.code == .tlsFailed)
            #expect(without?.message.contains("requires a client certificate") == true, "\(without?.message ?? "")")

            let other = try PrivateAuthority(name: "Other Authority")
            let untrusted = await openingError(try configuration(other.issue("client", names: "DNS:client")))
            #expect(untrusted?.code == .tlsFailed)
            #expect(
                untrusted?.message.contains("rejected this client's certificate") == true,
                "\(untrusted?.message ?? "")"
            )

            let expired = await openingError(
                try configuration(authority.issue("late", names: "DNS:client", isExpired: true))
            )
            #expect(expired?.code == .tlsFailed)
            #expect(
                expired?.message.contains("rejected this client's certificate") == true,
                "\(expired?.message ?? "")"
            )
        }

        @Test("A certificate file that is replaced is used for the next connection")
        func renewedFile() async throws {
            let server = try TLSServer(authority, authority.issue("server", names: "DNS:localhost"))
            defer { server.stop() }
            let other = try PrivateAuthority(name: "Other Authority")
            let roots = authority.path("roots.pem")
            try FileManager.default.copyItem(atPath: other.certificate, toPath: roots)
            let configuration = server.configuration { $0.trustRoots = .certificates(.file(path: roots)) }
            let strategy = try RedisConnectionStrategy(configuration: configuration)
            let untrusted = await redisError { try await strategy.makeConnection().close() }
            #expect(untrusted?.code == .tlsFailed)
            try Data(contentsOf: URL(fileURLWithPath: authority.certificate)).write(to: URL(fileURLWithPath: roots))
            try await strategy.makeConnection().close()
        }

        @Test("Certificate files that are missing or unusable are refused when the strategy is created")
        func unusableFiles() throws {
            let empty = authority.path("empty.pem")
            try Data("nothing\n".utf8).write(to: URL(fileURLWithPath: empty))
            let identity = try authority.issue("client", names: "DNS:client")
            let other = try authority.issue("other", names: "DNS:client")
            let refusals: [(RedisTLSConfiguration.TrustRoots, PrivateAuthority.Identity?, String)] = [
                (.certificates(.file(path: "/nonexistent.pem")), nil, "/nonexistent.pem"),
                (.certificates(.file(path: empty)), nil, "contains no certificates"),
                (.certificates(.text("nothing")), nil, "contains no certificates"),
                (.system, .init(certificate: identity.certificate, key: empty), "contains no private key"),
                (.system, .init(certificate: identity.certificate, key: other.key), "private key belongs to"),
            ]
            for (roots, client, words) in refusals {
                var configuration = RedisConfiguration(host: "localhost")
                configuration.tls = RedisTLSConfiguration()
                configuration.tls?.trustRoots = roots
                if let client {
                    configuration.tls?.clientCertificate = .init(
                        chain: .file(path: client.certificate),
                        privateKey: .file(path: client.key)
                    )
                }
                let error = #expect(throws: RedisError.self) {
                    try RedisConnectionStrategy(configuration: configuration)
                }
                #expect(error?.code == .invalidConfiguration)
                #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
            }
        }

        // MARK: - TLS and plain text

        @Test("A connection without TLS to a TLS port fails with advice to use rediss://")
        func plainTextToTLS() async throws {
            let server = try TLSServer(authority, authority.issue("server", names: "DNS:localhost"))
            defer { server.stop() }
            let error = await openingError(RedisConfiguration(host: "localhost", port: server.port))
            #expect(error?.code == .connectFailed)
            #expect(error?.message.contains("localhost:\(server.port)") == true)
            #expect(error?.message.contains("expects TLS") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("rediss://") == true)
        }

        @Test("A TLS connection to a port without TLS fails, and the error does not recommend plain text")
        func tlsToPlainText() async throws {
            let server = try RedisServer(listensOnPort: true)
            defer { server.stop() }
            var configuration = RedisConfiguration(host: "localhost", port: try #require(server.port))
            configuration.tls = RedisTLSConfiguration()
            configuration.tls?.trustRoots = .certificates(.file(path: authority.certificate))
            configuration.connectTimeout = .seconds(2)
            let error = await openingError(configuration)
            // Redis answers some handshakes with an error, and waits for a line end in others.
            let codes: [RedisError.Code?] = [.tlsFailed, .connectTimedOut]
            #expect(codes.contains(error?.code))
            #expect(error?.message.contains("tls-port of redis-server") == true, "\(error?.message ?? "")")
            #expect(error?.message.contains("redis://") == false)
        }

        // MARK: -

        private func ping(_ configuration: RedisConfiguration) async throws {
            let connection = try await RedisConnectionStrategy(configuration: configuration).makeConnection()
            #expect(try await connection.send("PING").string == "PONG")
            try await connection.close()
        }

        private func openingError(_ configuration: RedisConfiguration) async -> RedisError? {
            await redisError {
                try await RedisConnectionStrategy(configuration: configuration).makeConnection().close()
            }
        }
    }

    /// A `redis-server` that listens for TLS on a port of 127.0.0.1 and has the password `secret`.
    private final class TLSServer: Sendable {
        let port: Int
        private let server: RedisServer
        private let authority: PrivateAuthority

        init(
            _ authority: PrivateAuthority,
            _ identity: PrivateAuthority.Identity,
            requiresClientCertificate: Bool = false
        ) throws {
            self.authority = authority
            port = try RedisServer.freePort()
            server = try RedisServer(arguments: [
                "--tls-port", "\(port)", "--tls-cert-file", identity.certificate, "--tls-key-file", identity.key,
                "--tls-ca-cert-file", authority.certificate, "--tls-auth-clients",
                requiresClientCertificate ? "yes" : "no",
                "--requirepass", "secret",
            ])
        }

        func stop() { server.stop() }

        /// A configuration that trusts the authority.
        func configuration(
            host: String = "localhost",
            _ change: (inout RedisTLSConfiguration) -> Void = { _ in }
        ) -> RedisConfiguration {
            var configuration = RedisConfiguration(host: host, port: port)
            configuration.password = "secret"
            var tls = RedisTLSConfiguration()
            tls.trustRoots = .certificates(.file(path: authority.certificate))
            change(&tls)
            configuration.tls = tls
            return configuration
        }
    }
#else
    import BurstPoolRedis
    import Testing

    @Suite("TLS without the trait RedisTLS", .timeLimit(.minutes(1)))
    struct TLSTests {
        @Test("A strategy for TLS is refused, and the error names the trait")
        func missingTrait() {
            let error = #expect(throws: RedisError.self) { try RedisConnectionStrategy(url: "rediss://localhost") }
            #expect(error?.code == .invalidConfiguration)
            #expect(error?.message.contains("Enable the trait RedisTLS") == true)
        }
    }
#endif
