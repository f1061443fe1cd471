// SPDX-License-Identifier: Apache-2.0

import Hummingbird
import Logging

/// Answers with a ``Problem`` if a request ends in an error.
struct ProblemMiddleware: RouterMiddleware {
    func handle(
        _ request: Request,
        context: ServiceContext,
        next: (Request, ServiceContext) async throws -> Response
    ) async throws -> Response {
        do {
            return try await next(request, context)
        } catch {
            let problem = Problem(error)
            // `Reachability` logs an outage once, so these lines are only for debugging.
            context.logger.log(
                level: problem.status == .internalServerError ? .error : .debug,
                "answering with a problem",
                metadata: ["status": "\(problem.status.code)", "path": "\(request.uri.path)", "error": "\(error)"]
            )
            return try problem.response(from: request, context: context)
        }
    }
}
