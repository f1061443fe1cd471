// SPDX-License-Identifier: Apache-2.0

import BurstPool
import Testing

@testable import BurstPoolDemo

@Suite("The exercises", .serialized, .timeLimit(.minutes(5)))
struct ExerciserTests {
    /// Opens a connection of the pool's kind, and prepares the server.
    private func withBackend(
        _ kind: ServerKind,
        _ body: (any Backend, any ControlConnection) async throws -> Void
    ) async throws {
        let settings = try shortSettings(kind.choice())
        let backend = try await settings.server.makeBackend(for: settings)
        let control: any ControlConnection = try await backend.openControlConnection()
        try await control.prepare()
        try await body(backend, control)
        try await control.removeValues(ofTasks: 1)
        await control.close()
    }

    @Test("succeed on a server that no other client disturbs, and the audit agrees", arguments: ServerKind.allCases)
    func undisturbed(kind: ServerKind) async throws {
        try await withBackend(kind) { backend, control in
            try await performAll(on: backend, control)
        }
    }

    private func performAll(on backend: some Backend, _ control: any ControlConnection) async throws {
        let strategy = try backend.makeStrategy()
        let connection = try await strategy.makeConnection()
        var exerciser = backend.makeExerciser(of: 0, SplitMix64(seed: 1, stream: 0))
        for _ in 0..<100 {
            for exercise in Exercise.allCases {
                let commands = try await exerciser.perform(exercise, on: connection)
                #expect(commands >= 1)
            }
        }
        try await strategy.closeConnection(connection)
        var ledger = exerciser.ledger
        let stored = try await control.values(ofTask: 0)
        #expect(ledger.audit(stored) == [])
        #expect(ledger.text.exists && ledger.blob.exists)
        #expect(ledger.counter.range.lowerBound >= 300)
    }

    @Test(
        "notice a value that another client has written",
        arguments: ServerKind.allCases,
        [Exercise.readText, .readBlob, .increment, .exchange, .pipeline, .transaction]
    )
    func disturbed(kind: ServerKind, exercise: Exercise) async throws {
        try await withBackend(kind) { backend, _ in
            try await disturb(exercise, on: backend)
        }
    }

    private func disturb(_ exercise: Exercise, on backend: some Backend) async throws {
        let strategy = try backend.makeStrategy()
        let connection = try await strategy.makeConnection()
        let writes: [Exercise] = [.writeText, .writeBlob, .increment]
        var (one, other) = (
            backend.makeExerciser(of: 0, SplitMix64(seed: 1, stream: 0)),
            backend.makeExerciser(of: 0, SplitMix64(seed: 2, stream: 0))
        )
        for write in writes { _ = try await one.perform(write, on: connection) }
        // The other exerciser has never seen the counter, so it does not expect the reply.
        for write in writes { _ = try? await other.perform(write, on: connection) }
        do {
            _ = try await one.perform(exercise, on: connection)
            Issue.record("The exercise has not noticed the other value.")
        } catch is WrongReply {
            // The expected error.
        }
        try await strategy.closeConnection(connection)
    }

    @Test("know which values are uncertain after their connection was killed", arguments: ServerKind.allCases)
    func killed(kind: ServerKind) async throws {
        try await withBackend(kind) { backend, control in
            try await killAll(on: backend, control)
        }
    }

    private func killAll(on backend: some Backend, _ control: any ControlConnection) async throws {
        var exerciser = backend.makeExerciser(of: 0, SplitMix64(seed: 1, stream: 0))
        let writes: [Exercise] = [.writeText, .writeBlob, .increment, .exchange, .pipeline, .transaction]
        for write in writes { try await performUntilKilled(write, &exerciser, on: backend, control) }
        var ledger = exerciser.ledger
        let stored = try await control.values(ofTask: 0)
        #expect(ledger.audit(stored) == [])
    }

    private func performUntilKilled<Server: Backend>(
        _ write: Exercise,
        _ exerciser: inout Server.TaskExerciser,
        on backend: Server,
        _ control: any ControlConnection
    ) async throws {
        let connection = try await backend.makeStrategy().makeConnection()
        _ = try await exerciser.perform(write, on: connection)
        let connections = try await control.poolConnections()
        let id = try #require(connections.first)
        let existed = try await control.kill(id)
        #expect(existed)
        do {
            // The server ends the connection soon, not at once.
            for _ in 0..<1_000_000 { _ = try await exerciser.perform(write, on: connection) }
            Issue.record("The connection was not killed.")
        } catch {
            #expect(backend.isCausedByKill(error), "\(error)")
        }
        let exists = try await control.kill(id)
        #expect(!exists)
    }

    @Test("blobs have all values of a byte, and up to 64 KiB")
    func blobs() {
        var values = UniqueValues(task: 7, random: SplitMix64(seed: 1, stream: 0))
        let blobs = (0..<500).map { _ in values.blob() }
        #expect(Set(blobs).count == blobs.count)
        #expect(blobs.map(\.count).max().map { (65_536..<65_544).contains($0) } == true)
        #expect(Set(blobs.joined()).count == 256)
    }
}
