import Hummingbird
import Logging

/// Answers with a ``Problem`` where a request ends in an error.
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
            // An outage is told of once, by `Reachability`, and not for each request.
            context.logger.log(
                level: problem.status == .internalServerError ? .error : .debug,
                "answering with a problem",
                metadata: ["status": "\(problem.status.code)", "path": "\(request.uri.path)", "error": "\(error)"]
            )
            return try problem.response(from: request, context: context)
        }
    }
}
