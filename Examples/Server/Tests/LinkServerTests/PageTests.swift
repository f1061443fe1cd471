// SPDX-License-Identifier: Apache-2.0

import Foundation
import HTTPTypes
import ServerTestSupport
import Testing

extension ServerTests {
    /// The page of the pools in a browser.
    @Suite("The page", .timeLimit(.minutes(10)))
    struct PageTests {
        /// The folder for screenshots of the page.
        static let pictures = RunningServer.executable.deletingLastPathComponent().appendingPathComponent(
            "page-pictures"
        )

        @Test("The page shows changing numbers under load, draws the burst, and shows outages")
        func live() async throws {
            try await PrivateRedis.with { redis in
                let server = try await RunningServer(
                    on: redis,
                    settings: ["POOL_MAX_SIZE": "4", "POOL_BURST_LIMIT": "12"]
                )
                let link = try await TestLink.create(port: server.port, url: "http://example.org/")
                try await Browser.with { browser in
                    let page = try await browser.open("\(server.url)/pool")
                    try await eventually("the page is live") { try await page.text("connection") == "live" }
                    try await eventually("the page shows the state of Redis") {
                        try await page.text("database") == "Redis answers"
                    }
                    #expect(try await page.evaluate("document.querySelectorAll('rect.burst').length") == "0")
                    #expect(try await page.text("summary").contains("No burst"))

                    _ = try await Load.run(clients: 30, links: [link], port: server.port) { load in
                        try await watch(page)
                        try await load.waitForMore(300)
                    }
                    #expect(try await page.text("summary").contains("connections"))
                    try await takePictures(of: page)
                    try await outage(page, redis)
                    try await page.resize(width: 1100, height: 760)
                    try await page.prefer("light")
                    try await page.capture(to: Self.pictures.appendingPathComponent("outage.png"))
                    #expect(try await page.evaluate(Self.foreignRequests) == "0")
                    #expect(browser.complaints == [])
                }
            }
        }

        /// Checks the page under load.
        private func watch(_ page: Page) async throws {
            try await eventually("requests are counted") { Int(try await digits(page, "requests")) ?? 0 > 0 }
            try await eventually("connections are in use") { Int(try await digits(page, "in-use")) ?? 0 > 0 }
            try await eventually("a burst is drawn") { Double(try await page.evaluate(Self.burstWidth)) ?? 0 > 5 }
            #expect(Int(try await digits(page, "total-note")) ?? 0 > 4)
            let labels = try await page.evaluate(
                "[...document.querySelectorAll('text.label')].map((t) => t.textContent)"
            )
            #expect(labels == "maxSize 4,burstLimit 12")
            let latency = try await page.text("p50")
            #expect(latency.contains("µs") || latency.contains("ms"), "\(latency)")
            #expect(try await page.text("p99").hasPrefix("p99 "))
            #expect(try await page.evaluate("document.querySelectorAll('#latency path.p99').length > 0") == "true")
            let drawn = try await page.evaluate(Self.totalPath)
            try await eventually("the chart moves") { try await page.evaluate(Self.totalPath) != drawn }
        }

        /// Checks the page during and after an outage of Redis.
        private func outage(_ page: Page, _ redis: PrivateRedis) async throws {
            await redis.kill()
            try await eventually("the page shows the outage") {
                try await page.text("database") == "Redis does not answer"
            }
            try await eventually("the outage is drawn") {
                try await page.evaluate("document.querySelectorAll('#connections rect.outage-hatch').length > 0")
                    == "true"
            }
            // Nothing may cover the outage: the hatching follows the areas.
            #expect(
                try await page.evaluate(
                    """
                    [...document.querySelectorAll('#connections > *')].findLastIndex((e) => e.matches('path.in-use, path.opening'))
                    < [...document.querySelectorAll('#connections > *')].findIndex((e) => e.matches('rect.outage-hatch'))
                    """
                ) == "true"
            )
            #expect(try await page.text("summary").contains("outage of Redis"))
            try await redis.start()
            try await eventually("the page shows the end of the outage") {
                try await page.text("database") == "Redis answers"
            }
        }

        @Test("The page shows that it has lost the server, and continues when the server is back")
        func reconnects() async throws {
            try await PrivateRedis.with { redis in
                let first = try await RunningServer(on: redis)
                try await Browser.with { browser in
                    let page = try await browser.open("\(first.url)/pool")
                    try await eventually("the page is live") { try await page.text("connection") == "live" }
                    first.process.send(SIGTERM)
                    #expect(try await first.process.status() == 0)
                    try await eventually("the page has lost the server") {
                        try await page.text("connection") == "reconnecting"
                    }
                    let second = try await RunningServer(on: redis, port: first.port)
                    try await eventually("the page is live again") { try await page.text("connection") == "live" }
                    await second.process.kill()
                    try await eventually("the page has lost the server again") {
                        try await page.text("connection") == "reconnecting"
                    }
                    #expect(browser.complaints == [])
                }
            }
        }

        @Test("Nothing is cut off in a narrow window, and the charts have a description in words")
        func accessible() async throws {
            try await PrivateRedis.with { redis in
                let server = try await RunningServer(on: redis)
                try await Browser.with { browser in
                    let page = try await browser.open("\(server.url)/pool")
                    try await eventually("the page is live") { try await page.text("connection") == "live" }
                    for width in [320, 390, 768, 1600] {
                        try await page.resize(width: width, height: 800)
                        #expect(try await page.evaluate("document.documentElement.scrollWidth <= innerWidth") == "true")
                    }
                    #expect(
                        try await page.evaluate(
                            "document.querySelectorAll('svg:not([role=img][aria-labelledby])').length"
                        ) == "0"
                    )
                    #expect(try await page.evaluate("document.documentElement.lang") == "en")
                    #expect(
                        try await page.evaluate("document.getElementById('connection').getAttribute('role')")
                            == "status"
                    )
                }
            }
        }

        @Test("The page shows one of several pools, and an hour of history")
        func severalPools() async throws {
            try await PrivateRedis.with { redis in
                let server = try await RunningServer(on: redis, settings: ["REDIS_REPLICA_URL": redis.url])
                let link = try await TestLink.create(port: server.port, url: "http://example.org/")
                try await Browser.with { browser in
                    let page = try await browser.open("\(server.url)/pool")
                    try await eventually("the page is live") { try await page.text("connection") == "live" }
                    #expect(try await page.text("pool-name") == "redis")
                    #expect(try await page.text("pools") == "redisredis-readsredis-replica")
                    #expect(try await !page.text("in-use-note").contains("leases"))
                    _ = try await page.evaluate("document.querySelectorAll('#pools button')[1].click()")
                    try await eventually("the leases of the shared pool are shown") {
                        try await page.text("in-use-note").hasPrefix("0 leases, peak ")
                    }
                    _ = try await page.evaluate("document.querySelectorAll('#pools button')[2].click()")
                    try await eventually("the other pool is shown") {
                        try await page.text("pool-name") == "redis-replica"
                    }
                    _ = try await HTTPConnection.with(port: server.port) {
                        try await $0.send(.get, "/links/\(link.code)")
                    }
                    try await eventually("its connection is shown") { try await page.text("total") == "1" }
                    _ = try await page.evaluate("document.querySelectorAll('#spans button')[2].click()")
                    try await eventually("the summary is about an hour") {
                        try await page.text("summary").contains("last hour")
                    }
                    try await page.resize(width: 1100, height: 900)
                    try await page.capture(to: Self.pictures.appendingPathComponent("replica.png"))
                    #expect(browser.complaints == [])
                }
            }
        }

        private func takePictures(of page: Page) async throws {
            for (name, width, height) in [("wide", 1100, 760), ("narrow", 390, 844)] {
                try await page.resize(width: width, height: height)
                for colors in ["light", "dark"] {
                    try await page.prefer(colors)
                    try await page.capture(to: Self.pictures.appendingPathComponent("\(name)-\(colors).png"))
                }
            }
        }

        private func digits(_ page: Page, _ id: String) async throws -> String {
            try await page.text(id).filter(\.isNumber)
        }

        private static let burstWidth = """
            [...document.querySelectorAll('rect.burst')].reduce((sum, r) => sum + r.getBoundingClientRect().width, 0)
            """
        private static let totalPath = "document.querySelector('path.total').getAttribute('d')"
        private static let foreignRequests = """
            performance.getEntriesByType('resource').filter((r) => !r.name.startsWith(location.origin) && !r.name.startsWith('data:')).length
            """
    }
}
