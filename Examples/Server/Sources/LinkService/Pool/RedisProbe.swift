// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle

/// Pings the servers once a second, so that an outage is noticed even while no request needs Redis.
struct RedisProbe: Service {
    let servers: [Redis]

    func run() async {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .seconds(1))
                await withTaskGroup(of: Void.self) { group in
                    for server in servers { group.addTask { try? await server.ping() } }
                }
            }
        }
    }
}
