// SPDX-License-Identifier: Apache-2.0

import Foundation
import FuzzHarness
import PostgresFuzzProperties

/// Checks the corpus of what BurstPoolPostgres reads, and random inputs derived from it.
@main
enum Main {
    static func main() {
        let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Corpus")
        FuzzProgram<PostgresInput>(name: "PostgresFuzzing", corpus: corpus).run()
    }
}
