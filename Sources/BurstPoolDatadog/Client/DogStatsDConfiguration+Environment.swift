// SPDX-License-Identifier: Apache-2.0

#if canImport(Darwin)
    import Darwin
#elseif canImport(Musl)
    import Musl
#else
    import Glibc
#endif

extension DogStatsDConfiguration {
    /// Reads a configuration from the process's environment. See ``init(environment:)``.
    ///
    /// - Throws: ``DogStatsDError`` with ``DogStatsDError/Code/invalidAddress`` which names the variable and its value.
    public static func fromEnvironment() throws(DogStatsDError) -> DogStatsDConfiguration {
        var environment: [String: String] = [:]
        for name in variables { environment[name] = getenv(name).map { String(cString: $0) } }
        return try DogStatsDConfiguration(environment: environment)
    }

    private static let variables = [
        "DD_DOGSTATSD_URL", "DD_AGENT_HOST", "DD_DOGSTATSD_PORT", "DD_ENV", "DD_SERVICE", "DD_VERSION", "DD_TAGS",
        "DD_ENTITY_ID", "DD_EXTERNAL_ENV",
    ]

    /// Reads a configuration from the environment variables that Datadog's own clients use.
    ///
    /// | variable | sets |
    /// |---|---|
    /// | `DD_DOGSTATSD_URL` | the address: see ``DogStatsDAddress/init(url:)`` |
    /// | `DD_AGENT_HOST` | the host, or a URL, if `DD_DOGSTATSD_URL` is not set |
    /// | `DD_DOGSTATSD_PORT` | the port, if neither variable above contains a URL |
    /// | `DD_ENV`, `DD_SERVICE`, `DD_VERSION` | the global tags `env`, `service` and `version` |
    /// | `DD_TAGS` | more global tags, separated by commas, or by spaces if there is no comma |
    /// | `DD_ENTITY_ID` | the global tag `dd.internal.entity_id`, by which the agent identifies the pod |
    /// | `DD_EXTERNAL_ENV` | ``externalData`` |
    ///
    /// A variable such as `DD_ENV` takes precedence over a tag with the same key in `DD_TAGS`. An empty variable counts as not
    /// set.
    ///
    /// - Parameter environment: The variables and their values.
    /// - Throws: ``DogStatsDError`` with ``DogStatsDError/Code/invalidAddress`` which names the variable and its value.
    public init(environment: [String: String]) throws(DogStatsDError) {
        let set = environment.filter { !$0.value.isEmpty }
        self.init(address: try Self.address(set))
        globalTags = Self.tags(set)
        externalData = set["DD_EXTERNAL_ENV"]
    }

    private static func address(_ environment: [String: String]) throws(DogStatsDError) -> DogStatsDAddress {
        for name in ["DD_DOGSTATSD_URL", "DD_AGENT_HOST"] {
            guard let url = environment[name], name == "DD_DOGSTATSD_URL" || url.contains("://") else { continue }
            do throws(DogStatsDError) {
                return try DogStatsDAddress(url: url)
            } catch {
                throw DogStatsDError(error.code, "\(name): \(error.message)")
            }
        }
        var port = DogStatsDAddress.defaultPort
        if let text = environment["DD_DOGSTATSD_PORT"] {
            port = try DogStatsDAddress.port(text, of: "DD_DOGSTATSD_PORT")
        }
        let address = DogStatsDAddress.udp(host: environment["DD_AGENT_HOST"] ?? "127.0.0.1", port: port)
        do throws(DogStatsDError) {
            try address.validate()
        } catch {
            throw DogStatsDError(error.code, "DD_AGENT_HOST, DD_DOGSTATSD_PORT: \(error.message)")
        }
        return address
    }

    private static func tags(_ environment: [String: String]) -> [DogStatsDTag] {
        let named = [
            ("DD_ENTITY_ID", "dd.internal.entity_id"), ("DD_ENV", "env"), ("DD_SERVICE", "service"),
            ("DD_VERSION", "version"),
        ].compactMap { name, key in environment[name].map { (key: key, tag: DogStatsDTag(key, $0)) } }

        let text = environment["DD_TAGS"] ?? ""
        let separator: Character = text.contains(",") ? "," : " "
        let others = text.split(separator: separator).compactMap { piece -> DogStatsDTag? in
            let tag = String(piece.trimmingSpaces)
            guard !tag.isEmpty, !named.contains(where: { tag.hasPrefix("\($0.key):") }) else { return nil }
            return DogStatsDTag(tag)
        }
        return named.map(\.tag) + others
    }
}

extension Substring {
    fileprivate var trimmingSpaces: Substring {
        var rest = drop { $0 == " " }
        while rest.last == " " { rest.removeLast() }
        return rest
    }
}
