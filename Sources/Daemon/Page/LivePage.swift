// What the page shows of a running daemon, and what its buttons do: the status and the operations of the control endpoint, and
// beside them pictures, curves and labels.

import ContrastiveClustering
import StatusPage
import StreamProtocol
import Synchronization

/// The daemon as the page sees it.
final class LivePage: PageSource {
    /// Where the page gets what others know.
    struct Surroundings: Sendable {
        /// The daemon at the moment.
        let report: @Sendable () -> StatusReport
        /// How clusters and labels go together.
        let agreement: LabelAgreement
        /// Does control operations.
        let desk: ControlDesk
        /// Whether images are taken and answered.
        let readiness: Readiness
        /// Watches the threads that images depend on.
        let lookout: Lookout
        /// What does not change while the daemon runs.
        let about: [String: JSON]
    }

    private struct State: Sendable {
        var history = PageHistory()
        var labels = LabelWindow()
        var axes = PrincipalAxes()
        var seconds = 0
        var assignedBefore: UInt64 = 0
        var stepsBefore: UInt64 = 0
        /// The map as it was last told, and when.
        var map: (json: JSON, at: MonotonicTime)?
    }

    private let sampler: PictureSampler
    private let surroundings: Surroundings
    private let state = Mutex(State())

    init(sampler: PictureSampler, surroundings: Surroundings) {
        self.sampler = sampler
        self.surroundings = surroundings
    }

    // MARK: Health

    var illness: String? { surroundings.lookout.illness }

    var isReady: Bool { surroundings.readiness.isReady }

    // MARK: Events

    func tick(readers: Int) -> [PageEvent] {
        sampler.setReaders(readers)
        return state.withLock { state in
            state.seconds += 1
            var events: [PageEvent] = []
            let isDue = state.seconds % PageHistory.interval == 0
            guard isDue || readers > 0 else { return [] }
            let report = surroundings.report()
            if isDue {
                state.labels.update(surroundings.agreement.total)
                let point = point(report, &state)
                let change = state.history.add(point)
                events.append(
                    change == .thinned
                        ? PageEvent("history", state.history.json)
                        : PageEvent("point", .object(["point": point.json, "kept": .bool(change == .kept)])))
            }
            guard readers > 0 else { return [] }
            events.append(PageEvent("status", status(report, state)))
            if isDue { events.append(PageEvent("pictures", pictures(all: false))) }
            return events
        }
    }

    func welcome() -> [PageEvent] {
        sampler.setReaders(1)
        let report = surroundings.report()
        return state.withLock { state in
            [
                PageEvent("hello", .object(surroundings.about)), PageEvent("history", state.history.json),
                PageEvent("status", status(report, state)), PageEvent("pictures", pictures(all: true)),
            ]
        }
    }

    private func status(_ report: StatusReport, _ state: State) -> JSON {
        var members = report.members
        let times = sampler.percentiles
        members["latency"] = .object([
            "median": times.map { JSON($0.median) } ?? .null, "high": times.map { JSON($0.high) } ?? .null,
        ])
        members["agreement"] =
            state.labels.scores.map { scores in
                .object([
                    "nmi": JSON(scores.normalizedMutualInformation), "accuracy": JSON(scores.accuracy),
                    "ari": JSON(scores.adjustedRandIndex), "images": JSON(scores.images),
                ])
            } ?? .null
        members["ready"] = .bool(isReady)
        return .object(members)
    }

    private func point(_ report: StatusReport, _ state: inout State) -> PageHistory.Point {
        // Without news the numbers of long ago would be drawn on and on.
        let losses = report.steps > state.stepsBefore ? report.learning.losses : nil
        state.stepsBefore = report.steps
        let times = report.assigned.images > state.assignedBefore ? sampler.percentiles : nil
        state.assignedBefore = report.assigned.images
        return PageHistory.Point(
            time: report.time / 1_000_000,
            values: [
                losses.map { Double($0.total) }, losses.map { Double($0.instance) }, losses.map { Double($0.cluster) },
                losses.map { Double($0.entropy) }, report.assigned.perSecond, report.trained.perSecond, times?.median,
                times?.high, state.labels.scores?.normalizedMutualInformation, state.labels.scores?.accuracy,
            ])
    }

    private func pictures(all: Bool) -> JSON {
        sampler.withAlbum { album in
            let galleries = album.takeChanges(all: all)
            return .object([
                "all": .bool(all),
                "clusters": .object(
                    Dictionary(
                        uniqueKeysWithValues: galleries.map { cluster, pictures in
                            ("\(cluster)", .array(pictures.map(\.json)))
                        })),
                "last": .object(album.lastPictures.mapValues { .string("\($0)") }),
            ])
        }
    }

    // MARK: What is asked for

    func picture(_ id: UInt64) -> [UInt8]? { sampler.withAlbum { $0.file(id) } }

    func document(_ document: PageDocument) -> JSON {
        switch document {
        case .map: map()
        case .labels: labels()
        }
    }

    private func map() -> JSON {
        state.withLock { state in
            // However many look, and however often.
            if let map = state.map, MonotonicTime.now.seconds(since: map.at) < 2 { return map.json }
            let pictures = Self.comparable(sampler.withAlbum { $0.map })
            let places = state.axes.project(pictures.map { $0.embedding ?? [] })
            let points = zip(pictures, places).map { picture, place in
                var members = picture.json.members ?? [:]
                members["cluster"] = JSON(picture.cluster)
                members["x"] = JSON(place.x)
                members["y"] = JSON(place.y)
                return JSON.object(members)
            }
            let json = JSON.object(["points": .array(points)])
            state.map = (json, .now)
            return json
        }
    }

    /// Those of the last two minutes, should they be enough: while the model learns, what it saw long ago lies elsewhere.
    private static func comparable(_ pictures: [AlbumPicture]) -> [AlbumPicture] {
        guard let newest = pictures.map(\.received).max() else { return [] }
        let recent = pictures.filter { newest - $0.received < 120_000_000_000 }
        return recent.count >= 50 ? recent : pictures
    }

    private func labels() -> JSON {
        let names = surroundings.agreement.labels
        return state.withLock { state in
            guard let table = state.labels.recent else { return .object(["labels": .array([]), "counts": .array([])]) }
            return .object([
                "labels": .array(names.prefix(table.counts.count).map(\.json)),
                "counts": .array(table.counts.map { .array($0.map { JSON($0) }) }),
                "images": JSON(table.images),
            ])
        }
    }

    // MARK: Acting

    func perform(_ request: ControlRequest, reply: @escaping @Sendable ([[UInt8]]) -> Void) {
        surroundings.desk.perform(request, answer: reply)
    }
}
