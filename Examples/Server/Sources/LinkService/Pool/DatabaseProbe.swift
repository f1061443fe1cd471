// SPDX-License-Identifier: Apache-2.0

import ServiceLifecycle

/// Checks the databases when the service starts, so that they are ready for the first request, and then once a second, so that
/// an outage is noticed even while no request needs them.
struct DatabaseProbe: Service {
    let databases: [any LinkSource]

    func run() async {
        try? await cancelWhenGracefulShutdown {
            while true {
                await withTaskGroup(of: Void.self) { group in
                    for database in databases { group.addTask { try? await database.check() } }
                }
                try await Task.sleep(for: .seconds(1))
            }
        }
    }
}
