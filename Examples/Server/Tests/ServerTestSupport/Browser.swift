// SPDX-License-Identifier: Apache-2.0

import Foundation
import Synchronization

/// Headless Chromium, controlled with its DevTools protocol through two pipes.
///
/// Chromium ends when its input is closed, so it does not outlive this process.
public final class Browser: Sendable {
    private let process: UncheckedProcess
    private let folder: URL
    private let replies = Mutex(Replies())

    private struct UncheckedProcess: @unchecked Sendable {
        let process: Process
        let input: FileHandle
        let output: FileHandle
    }

    private struct Replies {
        var latestID = 0
        var waiting: [Int: CheckedContinuation<Data, any Error>] = [:]
        var unread = Data()
        var complaints: [String] = []
        var hasEnded = false
    }

    /// Runs a body with a browser, and closes it.
    public static func with<Result: Sendable>(_ body: (Browser) async throws -> Result) async throws -> Result {
        let browser = try Browser()
        do {
            let result = try await body(browser)
            await browser.close()
            return result
        } catch {
            await browser.close()
            throw error
        }
    }

    private init() throws {
        folder = FileManager.default.temporaryDirectory.appendingPathComponent(
            "browser-\(UInt32.random(in: 0 ... .max))"
        )
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let process = Process()
        let (input, output) = (Pipe(), Pipe())
        process.executableURL = URL(fileURLWithPath: "/bin/sh")
        // The protocol uses the descriptors 3 and 4.
        process.arguments =
            ["-c", "log=$1; shift; exec \"$@\" 3<&0 4>&1 0</dev/null >\"$log\" 2>&1", "sh", "\(folder.path)/log"]
            + [
                try Self.executable(), "--headless", "--remote-debugging-pipe",
                "--user-data-dir=\(folder.path)/profile",
            ]
            + ["--no-first-run", "--disable-gpu", "--disable-dev-shm-usage"]
            // The sandbox of Chromium does not work for root, which is the user in continuous integration.
            + (geteuid() == 0 ? ["--no-sandbox"] : []) + ["about:blank"]
        process.standardInput = input
        process.standardOutput = output
        try process.runHearingSignals()
        self.process = UncheckedProcess(
            process: process,
            input: input.fileHandleForWriting,
            output: output.fileHandleForReading
        )
        self.process.output.readabilityHandler = { [weak self] handle in self?.read(handle.availableData) }
    }

    private static func executable() throws -> String {
        let folders = (ProcessInfo.processInfo.environment["PATH"] ?? "").split(separator: ":").map(String.init)
        let names = ["chromium", "chromium-browser", "google-chrome"]
        let candidates =
            folders.flatMap { folder in names.map { "\(folder)/\($0)" } }
            + ["/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"]
        guard let found = candidates.first(where: FileManager.default.isExecutableFile) else {
            throw GuardedProcess.Failure("Chromium is missing: Scripts/setup tests")
        }
        return found
    }

    private func close() async {
        _ = try? await call("Browser.close")
        process.output.readabilityHandler = nil
        try? process.input.close()
        for _ in 0..<500 where process.process.isRunning { try? await Task.sleep(for: .milliseconds(10)) }
        if process.process.isRunning { kill(process.process.processIdentifier, SIGKILL) }
        try? FileManager.default.removeItem(at: folder)
    }

    // MARK: - The protocol

    private func read(_ data: Data) {
        guard !data.isEmpty else {
            process.output.readabilityHandler = nil
            let waiting = replies.withLock { replies in
                replies.hasEnded = true
                defer { replies.waiting = [:] }
                return replies.waiting.values
            }
            for waiter in waiting { waiter.resume(throwing: GuardedProcess.Failure("Chromium has ended: \(log)")) }
            return
        }
        replies.withLock { replies in
            replies.unread += data
            while let end = replies.unread.firstIndex(of: 0) {
                let message = Data(replies.unread[replies.unread.startIndex..<end])
                replies.unread.removeSubrange(replies.unread.startIndex...end)
                dispatch(message, &replies)
            }
        }
    }

    private struct Message: Decodable {
        struct Failure: Decodable { let message: String }
        var id: Int?
        var method: String?
        var error: Failure?
    }

    private func dispatch(_ data: Data, _ replies: inout Replies) {
        guard let message = try? JSONDecoder().decode(Message.self, from: data) else { return }
        if let id = message.id {
            guard let waiter = replies.waiting.removeValue(forKey: id) else { return }
            if let error = message.error {
                waiter.resume(throwing: GuardedProcess.Failure("Chromium: \(error.message)"))
            } else {
                waiter.resume(returning: data)
            }
        } else if message.method == "Runtime.exceptionThrown" {
            replies.complaints.append(String(decoding: data, as: UTF8.self))
        }
    }

    /// The exceptions that the page has thrown.
    public var complaints: [String] { replies.withLock { $0.complaints } }

    private var log: String { (try? String(contentsOfFile: "\(folder.path)/log", encoding: .utf8)) ?? "" }

    /// - Parameter parameters: A JSON object.
    @discardableResult
    fileprivate func call(_ method: String, _ parameters: String = "{}", session: String? = nil) async throws -> Data {
        try await withCheckedThrowingContinuation { continuation in
            let id: Int? = replies.withLock { replies in
                if replies.hasEnded { return nil }
                replies.latestID += 1
                replies.waiting[replies.latestID] = continuation
                return replies.latestID
            }
            guard let id else {
                continuation.resume(throwing: GuardedProcess.Failure("Chromium has ended: \(log)"))
                return
            }
            let target = session.map { ", \"sessionId\": \(Self.quoted($0))" } ?? ""
            let message = "{\"id\": \(id), \"method\": \"\(method)\", \"params\": \(parameters)\(target)}\0"
            try? process.input.write(contentsOf: Data(message.utf8))
        }
    }

    fileprivate static func quoted(_ text: String) -> String {
        let data = (try? JSONEncoder().encode(text)) ?? Data("\"\"".utf8)
        return String(decoding: data, as: UTF8.self)
    }

    // MARK: - Pages

    /// Opens a page in a new tab.
    public func open(_ url: String) async throws -> Page {
        struct Created: Decodable {
            struct Result: Decodable { let targetId: String }
            let result: Result
        }
        struct Attached: Decodable {
            struct Result: Decodable { let sessionId: String }
            let result: Result
        }
        let created = try await call("Target.createTarget", "{\"url\": \"about:blank\"}")
        let target = try JSONDecoder().decode(Created.self, from: created).result.targetId
        let attached = try await call("Target.attachToTarget", "{\"targetId\": \"\(target)\", \"flatten\": true}")
        let session = try JSONDecoder().decode(Attached.self, from: attached).result.sessionId
        let page = Page(browser: self, session: session)
        try await call("Runtime.enable", session: session)
        try await page.resize(width: 1100, height: 760)
        try await call("Page.navigate", "{\"url\": \(Self.quoted(url))}", session: session)
        return page
    }
}

/// A page in a ``Browser``.
public struct Page: Sendable {
    fileprivate let browser: Browser
    fileprivate let session: String

    /// Returns the value of a JavaScript expression as text.
    public func evaluate(_ expression: String) async throws -> String {
        struct Reply: Decodable {
            struct Result: Decodable { let result: Value }
            struct Value: Decodable { let value: String? }
            let result: Result
        }
        let text = Browser.quoted("String(\(expression))")
        let reply = try await browser.call(
            "Runtime.evaluate",
            "{\"expression\": \(text), \"returnByValue\": true}",
            session: session
        )
        return try JSONDecoder().decode(Reply.self, from: reply).result.result.value ?? ""
    }

    /// Returns the text of the element with an id.
    public func text(_ id: String) async throws -> String {
        try await evaluate("document.getElementById('\(id)')?.textContent")
    }

    public func resize(width: Int, height: Int) async throws {
        try await browser.call(
            "Emulation.setDeviceMetricsOverride",
            "{\"width\": \(width), \"height\": \(height), \"deviceScaleFactor\": 1, \"mobile\": false}",
            session: session
        )
    }

    /// - Parameter colors: `light` or `dark`.
    public func prefer(_ colors: String) async throws {
        try await browser.call(
            "Emulation.setEmulatedMedia",
            "{\"features\": [{\"name\": \"prefers-color-scheme\", \"value\": \"\(colors)\"}]}",
            session: session
        )
    }

    /// Writes a screenshot to a file as PNG.
    public func capture(to file: URL) async throws {
        struct Reply: Decodable {
            struct Result: Decodable { let data: Data }
            let result: Result
        }
        // Waits for two frames, so that recent changes are drawn.
        _ = try await browser.call(
            "Runtime.evaluate",
            """
            {"expression": "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))", "awaitPromise": true}
            """,
            session: session
        )
        let reply = try await browser.call("Page.captureScreenshot", session: session)
        try FileManager.default.createDirectory(
            at: file.deletingLastPathComponent(),
            withIntermediateDirectories: true
        )
        try JSONDecoder().decode(Reply.self, from: reply).result.data.write(to: file)
    }
}
