// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A program that checks the corpus, and random inputs derived from it, until the time is over or a violation is found.
///
/// The same seed and number of inputs give the same inputs.
package struct FuzzProgram<Target: FuzzTarget> {
    private let name: String
    private let corpus: URL

    /// The file with the input that is being checked, in case it traps or hangs.
    private let current: URL

    /// - Parameters:
    ///   - name: The name of the program.
    ///   - corpus: The path of the folder with a folder for each kind of input.
    package init(name: String, corpus: URL) {
        self.name = name
        self.corpus = corpus.standardized
        current = FileManager.default.temporaryDirectory
            .appendingPathComponent("\(name)-\(ProcessInfo.processInfo.processIdentifier)")
    }

    /// Runs with the options of the command line, and exits: with 0 if no violation was found, 1 if one was, and 2 if the
    /// options make no sense.
    package func run() -> Never {
        do {
            exit(try run(FuzzOptions<Target>(CommandLine.arguments.dropFirst())) ? 0 : 1)
        } catch is FuzzOptions<Target>.Misuse {
            say(FuzzOptions<Target>.usage(name))
            exit(2)
        } catch {
            say("error: \(error)")
            exit(2)
        }
    }

    /// Prints a line at once, because the next input may trap.
    private func say(_ text: String) {
        FileHandle.standardOutput.write(Data((text + "\n").utf8))
    }

    /// Runs the checks.
    ///
    /// - Returns: Whether no violation was found.
    private func run(_ options: FuzzOptions<Target>) throws -> Bool {
        guard options.files.isEmpty else {
            let inputs = try options.files.map { [UInt8](try Data(contentsOf: URL(fileURLWithPath: $0))) }
            let findings = options.targets.flatMap { target in inputs.compactMap { Finding(target, $0) } }
            for finding in findings { say(finding.description) }
            return findings.isEmpty
        }
        say("The seed is \(options.seed). If an input traps or hangs, it is in \(current.path).")
        // Removed also after a violation, which has been saved. A trap leaves the file.
        defer { try? FileManager.default.removeItem(at: current) }
        for target in options.targets {
            guard try run(options, target) else { return false }
        }
        return true
    }

    private func run(_ options: FuzzOptions<Target>, _ target: Target) throws -> Bool {
        let inputs = try checkedCorpus(of: target)
        guard let inputs else { return false }
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
                if !target.isControl { say("Saved as \(try finding.save(in: corpus).path).") }
                return false
            }
        }
        say("\(target.rawValue): \(inputs.count) inputs of the corpus and \(count) others, no violation found")
        return true
    }

    /// Returns the inputs in the corpus, or `nil` if one of them violates a property.
    private func checkedCorpus(of target: Target) throws -> [[UInt8]]? {
        if target.isControl { return [] }
        let folder = corpus.appendingPathComponent(target.rawValue)
        let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
        let inputs = try names.map { [UInt8](try Data(contentsOf: folder.appendingPathComponent($0))) }
        let isClean = zip(names, inputs).reduce(true) { isClean, file in
            guard let finding = Finding(target, file.1) else { return isClean }
            say("\(file.0): \(finding.description)")
            return false
        }
        return isClean ? inputs : nil
    }
}
