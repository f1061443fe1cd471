// SPDX-License-Identifier: Apache-2.0

import Foundation
import FuzzHarness
import RedisFuzzProperties

/// Checks the corpus of Redis URLs and replies, and random inputs derived from it.
@main
enum Main {
    static func main() {
        let corpus = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../../Corpus")
        FuzzProgram<RedisInput>(name: "RedisFuzzing", corpus: corpus).run()
    }
}
