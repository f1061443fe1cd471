import BurstPool
import BurstPoolRedis

/// What a run is to be like; checked.
struct DemoSettings: Sendable {
    var tasks: Int
    var seconds: Double
    var maxSize: Int
    var burstLimit: Int
    var chaos: Bool
    /// `nil`: start a server.
    var server: RedisConfiguration?
    var picturePath: String
    var seed: UInt64

    /// - Throws: ``DemoFailure``; the pool's and the URL parser's own errors for what concerns them.
    init(
        tasks: Int?,
        seconds: Double,
        maxSize: Int,
        burstLimit: Int?,
        chaos: Bool,
        url: String?,
        picturePath: String,
        seed: UInt64?
    ) throws {
        guard seconds.isFinite, (0.5...86_400).contains(seconds) else {
            throw DemoFailure("--seconds is \(seconds), but must be from 0.5 to 86400")
        }
        // Multiplied without overflow: that a size is too great is for the pool to say.
        let burstLimit = burstLimit ?? maxSize.multipliedSaturating(by: 3)
        let mostTasks = 100_000
        let tasks = tasks ?? min(mostTasks, max(1, burstLimit.multipliedSaturating(by: 5)))
        // The pool is the one to know which limits make sense.
        let strategy = try RedisConnectionStrategy(configuration: RedisConfiguration(host: "127.0.0.1"))
        _ = try ConnectionPool(strategy: strategy, maxSize: maxSize, burstLimit: burstLimit)
        guard (1...mostTasks).contains(tasks) else {
            throw DemoFailure("--tasks is \(tasks), but must be from 1 to \(mostTasks)")
        }
        guard !picturePath.isEmpty else { throw DemoFailure("--svg is empty, but must be the path of a file") }
        self.tasks = tasks
        self.seconds = seconds
        self.maxSize = maxSize
        self.burstLimit = burstLimit
        self.chaos = chaos
        server = try url.map { try RedisConfiguration(url: $0) }
        self.picturePath = picturePath
        self.seed = seed ?? .random(in: 1...999_999)
    }
}

extension Int {
    fileprivate func multipliedSaturating(by factor: Int) -> Int {
        let (product, overflow) = multipliedReportingOverflow(by: factor)
        return overflow ? .max : product
    }
}
