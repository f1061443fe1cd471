// SPDX-License-Identifier: Apache-2.0

/// The options of a Redis URL that configure TLS.
struct RedisURLTLSOptions {
    private var isEnabled: Bool?
    private var trustedCertificates: String?
    private var certificate: String?
    private var privateKey: String?
    private var verifiesCertificate: Bool?
    private var verifiesName: Bool?
    private var serverName: String?

    /// Sets an option.
    ///
    /// - Returns: `false` if the option is not one for TLS.
    /// - Throws: ``RedisError/Code/invalidURL``.
    mutating func set(_ name: String, _ value: String) throws(RedisError) -> Bool {
        switch name {
        case "ssl", "tls":
            try RedisURLOptions.assign(try Self.boolean(value, name), to: &isEnabled, name)
        case "ssl_ca_certs", "tls_ca_file":
            try RedisURLOptions.assign(try Self.path(value, name), to: &trustedCertificates, name)
        case "ssl_certfile", "tls_cert_file":
            try RedisURLOptions.assign(try Self.path(value, name), to: &certificate, name)
        case "ssl_keyfile", "tls_key_file":
            try RedisURLOptions.assign(try Self.path(value, name), to: &privateKey, name)
        case "ssl_check_hostname":
            try RedisURLOptions.assign(try Self.boolean(value, name), to: &verifiesName, name)
        case "ssl_cert_reqs":
            let requirements = ["required": true, "none": false]
            guard let verifies = requirements[value.lowercased()] else {
                throw .invalidURL("option '\(name)'", "'\(value)' is not supported. Write required or none.")
            }
            try RedisURLOptions.assign(verifies, to: &verifiesCertificate, name)
        case "server_name", "tls_server_name":
            try RedisURLOptions.assign(value, to: &serverName, name)
        default: return false
        }
        return true
    }

    /// The TLS configuration of a URL with these options; `nil` if the connection is not encrypted.
    ///
    /// - Throws: ``RedisError/Code/invalidURL`` if the options contradict each other or the scheme.
    func configuration(for scheme: RedisURLScheme) throws(RedisError) -> RedisTLSConfiguration? {
        if scheme == .tls, isEnabled == false {
            throw .invalidURL("option 'ssl'", "it is false, but the scheme of the URL asks for TLS. Remove the option.")
        }
        guard scheme == .tls || isEnabled == true else {
            guard !hasSettings else {
                throw .invalidURL("options", "they configure TLS, but the URL does not ask for it. Write rediss://.")
            }
            return nil
        }
        var tls = RedisTLSConfiguration()
        if let trustedCertificates { tls.trustRoots = .certificates(.file(path: trustedCertificates)) }
        if verifiesCertificate == false {
            tls.verification = .none
        } else if verifiesName == false {
            tls.verification = .withoutName
        }
        switch (certificate, privateKey) {
        case (let certificate?, let privateKey?):
            tls.clientCertificate = .init(chain: .file(path: certificate), privateKey: .file(path: privateKey))
        case (nil, nil): break
        default:
            throw .invalidURL("options", "a client certificate needs both ssl_certfile and ssl_keyfile.")
        }
        tls.serverName = serverName
        return tls
    }

    private var hasSettings: Bool {
        trustedCertificates != nil || certificate != nil || privateKey != nil || verifiesCertificate != nil
            || verifiesName != nil || serverName != nil
    }

    private static func boolean(_ text: String, _ name: String) throws(RedisError) -> Bool {
        switch text.lowercased() {
        case "true", "1", "yes", "on": return true
        case "false", "0", "no", "off": return false
        default: throw .invalidURL("option '\(name)'", "'\(text)' is neither true nor false.")
        }
    }

    private static func path(_ text: String, _ name: String) throws(RedisError) -> String {
        guard !text.isEmpty, !text.utf8.contains(0) else {
            throw .invalidURL("option '\(name)'", "it is not the path of a file.")
        }
        return text
    }
}
