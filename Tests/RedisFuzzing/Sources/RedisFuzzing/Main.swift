// SPDX-License-Identifier: Apache-2.0

import Foundation
import RedisFuzzProperties

/// Checks the corpus, and random inputs derived from it, until the time is over or a violation is found.
///
/// The same seed and number of inputs give the same inputs.
@main
enum Main {
    private static let corpus = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().appendingPathComponent("../../Corpus").standardized

    /// The file with the input that is being checked, in case it traps or hangs.
    private static let current = FileManager.default.temporaryDirectory
        .appendingPathComponent("redis-fuzzing-\(ProcessInfo.processInfo.processIdentifier)")

    static func main() {
        do {
            exit(try run(Options(CommandLine.arguments.dropFirst())) ? 0 : 1)
        } catch is Options.Misuse {
            say(Options.usage)
            exit(2)
        } catch {
            say("error: \(error)")
            exit(2)
        }
    }

    /// Prints a line at once, because the next input may trap.
    private static func say(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    /// Runs the checks.
    ///
    /// - Returns: Whether no violation was found.
    private static func run(_ options: Options) throws -> Bool {
        guard options.files.isEmpty else {
            let inputs = try options.files.map { [UInt8](try Data(contentsOf: URL(fileURLWithPath: $0))) }
            let findings = options.targets.flatMap { target in inputs.compactMap { Finding(target, $0) } }
            for finding in findings { say(finding.description) }
            return findings.isEmpty
        }
        say("The seed is \(options.seed). If an input traps or hangs, it is in \(current.path).")
        for target in options.targets {
            guard try run(options, target) else { return false }
        }
        try? FileManager.default.removeItem(at: current)
        return true
    }

    private static func run(_ options: Options, _ target: FuzzTarget) throws -> Bool {
        let folder = corpus.appendingPathComponent(target.rawValue)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let inputs = try names.map { [UInt8](try Data(contentsOf: folder.appendingPathComponent($0))) }
        let isClean = zip(names, inputs).reduce(true) { isClean, file in
            guard let finding = Finding(target, file.1) else { return isClean }
            say("\(file.0): \(finding.description)")
            return false
        }
        guard isClean else { return false }

        let descriptor = open(current.path, O_WRONLY | O_CREAT | O_TRUNC, 0o600)
        defer { close(descriptor) }
        var mutator = Mutator(target: target, corpus: inputs, random: SeededRandom(seed: options.seed))
        let deadline = ContinuousClock.now + .seconds(min(options.seconds, 1e9))
        var count = 0
        while count < options.inputs, ContinuousClock.now < deadline {
            let input = mutator.next()
            ftruncate(descriptor, 0)
            pwrite(descriptor, input, input.count, 0)
            count += 1
            if var finding = Finding(target, input) {
                finding.shrink()
                say("Input \(count) of seed \(options.seed), shortened: \(finding.description)")
                say("Saved as \(try finding.save(in: corpus).path).")
                return false
            }
        }
        say("\(target.rawValue): \(inputs.count) inputs of the corpus and \(count) others, no violation found")
        return true
    }
}
