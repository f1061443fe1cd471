// SPDX-License-Identifier: Apache-2.0

import BurstPool
import NIOCore

/// A fault, or a call of the pool.
private enum Act: CaseIterable {
    case killOne, killSome, killAll
    case restartServer
    case cutAll, hold, changeWeather
    case evict, evictSlowly
    case resize, resizeBack
    case pause
    case prewarm, waitUntilHealthy
    case look
}

/// Subjects a pool, its connections and its server to the faults of a year within seconds.
struct Chaos<System: Backend>: Sendable {
    let life: Life<System>
    let proxy: Proxy
    private var random: SeededRandom

    init(life: Life<System>, proxy: Proxy) {
        self.life = life
        self.proxy = proxy
        random = SeededRandom(seed: life.seed, stream: "chaos \(life.plan.number)")
    }

    private var faults: Tally { life.report.faults }
    private var backend: System { life.backend }
    private var pool: Life<System>.Pool { life.pool }

    /// Runs until a time, or until there is a finding. Leaves the server running, and the pool as its plan says.
    mutating func run(until end: ContinuousClock.Instant) async {
        proxy.weather = .random(using: &random)
        while ContinuousClock.now < end, !life.report.findings.hasAny {
            try? await Task.sleep(for: random.milliseconds(5 * System.pace...120 * System.pace))
            do {
                try await strike()
            } catch {
                life.report.findings.add("the fault injection itself failed: \(error)")
            }
        }
        proxy.weather = .calm
        pool.resume()
        do {
            try pool.resize(maxSize: life.plan.maxSize, burstLimit: life.plan.burstLimit)
        } catch {
            life.report.findings.add("cannot restore the first size of the pool: \(error)")
        }
    }

    private mutating func strike() async throws {
        switch random.element(of: Act.allCases) {
        case .killOne: try await kill { [$0.randomElement(using: &random)].compactMap { $0 } }
        case .killSome: try await kill { $0.filter { _ in random.oneIn(2) } }
        case .killAll: try await kill { $0 }
        case .restartServer:
            // Less often than the other faults, because nothing else happens during a restart.
            guard random.oneIn(2) else { return }
            try await backend.restart(after: random.milliseconds(0...200))
            faults.count("server killed and restarted")
        case .cutAll: faults.count("connections cut, all at once", proxy.cutAll())
        case .hold:
            proxy.hold(for: .milliseconds(Int64(random.number(10...400))))
            faults.count("network held")
        case .changeWeather:
            proxy.weather = random.oneIn(4) ? .calm : .random(using: &random)
            faults.count("weather changed")
        case .evict:
            pool.evictAll()
            faults.count("evictAll")
        case .evictSlowly:
            pool.evictAll(over: random.milliseconds(10...500))
            faults.count("evictAll over time")
        case .resize:
            let maxSize = random.number(max(1, life.plan.configuration.minimumIdle)...16)
            try pool.resize(maxSize: maxSize, burstLimit: random.oneIn(3) ? nil : maxSize + random.number(0...16))
            faults.count("resize")
        case .resizeBack:
            try pool.resize(maxSize: life.plan.maxSize, burstLimit: life.plan.burstLimit)
            faults.count("resize")
        case .pause:
            pool.pause()
            try await Task.sleep(for: random.milliseconds(0...150))
            pool.resume()
            faults.count("pause and resume")
        case .prewarm:
            let count = random.number(0...life.plan.maxSize)
            await attempt("prewarm") { [pool] in try await pool.prewarm(count) }
        case .waitUntilHealthy:
            let timeout = random.milliseconds(10...300)
            await attempt("waitUntilHealthy") { [pool] in try await pool.waitUntilHealthy(timeout: timeout) }
        case .look: look()
        }
    }

    private func kill(_ choose: ([Int]) -> [Int]) async throws {
        faults.count("connections killed by the server", try await backend.kill(choose(try await backend.clients())))
    }

    /// Runs a call that may fail with any error with which a visit may end.
    private func attempt(_ name: String, _ call: @Sendable @escaping () async throws -> Void) async {
        faults.count(name)
        // The call has no time limit of its own where connects fail and are retried.
        let task = Task { try await call() }
        let timer = Task {
            try await Task.sleep(for: .milliseconds(500))
            task.cancel()
        }
        do {
            try await task.value
        } catch let error as ConnectionPoolError where error.code == .invalidConfiguration {
            // The count is above the present size of the pool.
        } catch {
            // A cancellation counts as caused by the timer, even if it was not. Visits distinguish the two.
            if Outcome.name(of: error, from: System.self, wasCancelled: true, isEnding: false) == nil {
                life.report.findings.add("\(name): \(Findings.describe(error))")
            }
        }
        timer.cancel()
    }

    private func look() {
        let statistics = pool.statistics
        faults.count("statistics read")
        let counts = [
            statistics.idle, statistics.inUse, statistics.opening, statistics.closing, statistics.waiting,
        ]
        if counts.contains(where: { $0 < 0 }) || statistics.total > 1_000 {
            life.report.findings.add("impossible statistics: \(statistics)")
        }
    }
}
