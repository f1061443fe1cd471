import Foundation
import ServerTestSupport
import Testing

extension ServerTests {
    /// The page that draws the pool, in a browser.
    @Suite("The page", .timeLimit(.minutes(10)))  // Chromium takes its time to start, and the load goes on for seconds.
    struct PageTests {
        /// Where pictures of the page are put, to be looked at.
        static let pictures = RunningServer.executable.deletingLastPathComponent().appendingPathComponent(
            "page-pictures"
        )

        @Test("It shows numbers that live under load, draws the burst, and tells of outages")
        func live() async throws {
            try await PrivateRedis.with { redis in
                let server = try await RunningServer(
                    redis: redis,
                    settings: ["POOL_MAX_SIZE": "4", "POOL_BURST_LIMIT": "12"]
                )
                let link = try await TestLink.create(port: server.port, url: "http://example.org/")
                try await Browser.with { browser in
                    let page = try await browser.open("\(server.url)/pool")
                    try await eventually("the page is live") { try await page.text("connection") == "live" }
                    try await eventually("Redis is told of") { try await page.text("redis") == "Redis answers" }
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

        /// While the load is on.
        private func watch(_ page: Page) async throws {
            try await eventually("requests are counted") { Int(try await digits(page, "requests")) ?? 0 > 0 }
            try await eventually("connections are in use") { Int(try await digits(page, "in-use")) ?? 0 > 0 }
            try await eventually("a burst is drawn") { Double(try await page.evaluate(Self.burstWidth)) ?? 0 > 5 }
            #expect(Int(try await digits(page, "total-note")) ?? 0 > 4)
            let labels = try await page.evaluate(
                "[...document.querySelectorAll('text.label')].map((t) => t.textContent)"
            )
            #expect(labels == "maxSize 4,burstLimit 12")
            let drawn = try await page.evaluate(Self.totalPath)
            try await eventually("the picture moves") { try await page.evaluate(Self.totalPath) != drawn }
        }

        /// Redis goes and comes back.
        private func outage(_ page: Page, _ redis: PrivateRedis) async throws {
            await redis.kill()
            try await eventually("the page tells of it") { try await page.text("redis") == "Redis does not answer" }
            try await eventually("the outage is drawn") {
                try await page.evaluate("document.querySelectorAll('rect.down').length > 0") == "true"
            }
            try await redis.start()
            try await eventually("the page tells that it is over") { try await page.text("redis") == "Redis answers" }
        }

        @Test("It says that it has lost the server, and goes on when the server is back")
        func reconnects() async throws {
            try await PrivateRedis.with { redis in
                let first = try await RunningServer(redis: redis)
                try await Browser.with { browser in
                    let page = try await browser.open("\(first.url)/pool")
                    try await eventually("the page is live") { try await page.text("connection") == "live" }
                    first.process.send(SIGTERM)
                    #expect(try await first.process.status() == 0)
                    try await eventually("the page has lost the server") {
                        try await page.text("connection") == "reconnecting"
                    }
                    let second = try await RunningServer(redis: redis, port: first.port)
                    try await eventually("the page is live again") { try await page.text("connection") == "live" }
                    await second.process.kill()
                    try await eventually("the page has lost the server again") {
                        try await page.text("connection") == "reconnecting"
                    }
                    #expect(browser.complaints == [])
                }
            }
        }

        @Test("Nothing is cut off in a narrow window, and the picture has words for those who do not see it")
        func accessible() async throws {
            try await PrivateRedis.with { redis in
                let server = try await RunningServer(redis: redis)
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
