// `status`: what an operator looks at first.

extension ControlOperation {
    /// Answers with what `report` says at the moment.
    static func status(_ report: @escaping @Sendable () -> StatusReport) -> Self {
        Self("status", lane: .state) { _ in .init(report().members) }
    }
}
