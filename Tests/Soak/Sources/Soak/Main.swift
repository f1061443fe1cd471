// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Runs pools on a real server behind a harmful proxy, and checks that nothing is wrong or lost.
@main
enum Main {
    static func main() async {
        do {
            let options = try Options(CommandLine.arguments.dropFirst())
            let isClean =
                if options.isForPostgres {
                    try await Soak<PostgresBackend>(options).run()
                } else {
                    try await Soak<RedisBackend>(options).run()
                }
            exit(isClean ? 0 : 1)
        } catch is Options.Misuse {
            FileHandle.standardError.write(Data((Options.usage + "\n").utf8))
        } catch {
            FileHandle.standardError.write(Data("error: \(error)\n".utf8))
        }
        exit(2)
    }
}
