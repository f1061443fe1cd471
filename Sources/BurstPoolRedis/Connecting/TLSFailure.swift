// SPDX-License-Identifier: Apache-2.0

import NIOCore

#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

#if RedisTLS
    import NIOSSL

    extension TLSContext {
        /// The error of a channel whose encryption failed; `nil` if `error` is not about TLS.
        ///
        /// To be called on the event loop of the channel, while it is still open, because the server's certificate
        /// tells what BoringSSL's error does not.
        func failure(for error: any Error, on channel: any Channel) -> RedisError? {
            let text: String
            switch error {
            case let error as NIOSSLError:
                switch error {
                case .uncleanShutdown: return RedisError(.connectionClosed, "The server closed the connection.")
                case .handshakeFailed(let reason): text = handshakeFailure(reason, on: channel)
                default: text = "The TLS handshake failed: \(error)."
                }
            case let error as NIOSSLExtraError where error == .failedToValidateHostname:
                let advice = "Connect by a name that the certificate contains, or set the TLS server name."
                text = "The server's certificate is not valid for '\(peerName)'. \(advice)"
            case let error as NIOSSLExtraError: text = "The TLS handshake failed: \(error.description)."
            // After the handshake of TLS 1.3, the server's refusal of a client certificate comes as the answer to a
            // read.
            case let error as BoringSSLError: text = handshakeFailure(error, on: channel)
            default: return nil
            }
            return RedisError(.tlsFailed, text, underlyingError: error)
        }

        private func handshakeFailure(_ error: BoringSSLError, on channel: any Channel) -> String {
            let description = "\(error)"
            func mentions(_ words: String...) -> Bool { words.contains { description.contains($0) } }
            if mentions("CERTIFICATE_VERIFY_FAILED") {
                guard let certificate = try? channel.pipeline.syncOperations.nioSSL_peerCertificate() else {
                    return "The server's certificate cannot be verified."
                }
                return rejection(of: certificate)
            }
            if mentions("WRONG_VERSION_NUMBER", "HTTP_REQUEST", "UNEXPECTED_MESSAGE") {
                return
                    "The server does not speak TLS on this port. Check that the port is the tls-port of redis-server."
            }
            if mentions("EOF during handshake") {
                return "The server closed the connection during the TLS handshake. "
                    + "Check that the port expects TLS, and whether the server requires a client certificate."
            }
            if mentions("CERTIFICATE_REQUIRED") {
                return "The server requires a client certificate. Set the TLS client certificate."
            }
            if mentions(
                "ALERT_UNKNOWN_CA",
                "ALERT_BAD_CERTIFICATE",
                "ALERT_CERTIFICATE",
                "ALERT_UNSUPPORTED_CERTIFICATE"
            ) {
                return
                    "The server rejected this client's certificate. Check that it is signed by an authority that the "
                    + "server trusts, and that it has not expired. \(description)"
            }
            if mentions("ALERT_HANDSHAKE_FAILURE") {
                return "The server refused the TLS handshake. It may require a client certificate."
            }
            return "The TLS handshake failed: \(description)."
        }

        private func rejection(of certificate: NIOSSLCertificate) -> String {
            let subject = "The server's certificate"
            let now = time(nil)
            if now > certificate.notValidAfter {
                return "\(subject) expired on \(Self.date(certificate.notValidAfter)). Renew it on the server."
            }
            if now < certificate.notValidBefore {
                return "\(subject) is not valid before \(Self.date(certificate.notValidBefore)). Check the clocks."
            }
            let advice = "Check the trust roots of the TLS configuration."
            if certificate.issuerName == certificate.subjectName {
                return "\(subject) is self-signed and not among the trust roots. \(advice)"
            }
            let issuer = certificate.issuerName.first { $0.type == .commonName }?.value
            let authority = issuer.map { "'\($0)'" } ?? "an authority without a name"
            return "\(subject) is signed by \(authority), which is not trusted. \(advice)"
        }

        /// The UTC date of a time.
        private static func date(_ time: time_t) -> String {
            var time = time
            var parts = tm()
            gmtime_r(&time, &parts)
            let (month, day) = (Int(parts.tm_mon) + 1, Int(parts.tm_mday))
            return "\(Int(parts.tm_year) + 1900)-\(month < 10 ? "0" : "")\(month)-\(day < 10 ? "0" : "")\(day)"
        }
    }
#else
    extension TLSContext {
        func failure(for error: any Error, on channel: any Channel) -> RedisError? { nil }
    }
#endif
