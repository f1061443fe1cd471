// SPDX-License-Identifier: Apache-2.0

extension PostgresConfiguration {
    /// The parameters that libpq is given for an attempt to connect.
    func connectionParameters(credentials: PostgresCredentials?) -> [String: String] {
        // A server that has vanished without a word is noticed within a minute. The system's default is two hours.
        var parameters = [
            "keepalives_idle": "30", "keepalives_interval": "10", "keepalives_count": "3", "tcp_user_timeout": "30000",
        ]
        parameters["fallback_application_name"] = applicationName
        parameters.merge(self.parameters) { $1 }
        if let credentials {
            parameters["password"] = credentials.password
            if let user = credentials.user { parameters["user"] = user }
        }
        parameters["client_encoding"] = "UTF8"
        return parameters
    }
}
