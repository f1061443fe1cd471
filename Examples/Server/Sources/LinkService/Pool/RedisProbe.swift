import ServiceLifecycle

/// Asks Redis once a second whether it is there, so that an outage is known to have begun, and to be over, also while no
/// request needs Redis.
struct RedisProbe: Service {
    let redis: Redis

    func run() async {
        try? await cancelWhenGracefulShutdown {
            while true {
                try await Task.sleep(for: .seconds(1))
                try? await redis.ping()
            }
        }
    }
}
