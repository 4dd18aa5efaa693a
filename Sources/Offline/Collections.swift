// Collections opened with labels where there are any: scores are for whoever has labels, and nobody needs them.

import Datasets

extension ImageCollection {
    /// Opens everything that `sources` name, with labels unless IDX images come without.
    ///
    /// - Throws: `DatasetError`.
    package static func withLabelsIfAny(opening sources: [String]) throws(DatasetError) -> ImageCollection {
        // A list can be read only once, so whether labels are missing is found without it.
        let named = sources.filter { $0 != listArgument }
        do {
            let collection = named.isEmpty ? nil : try ImageCollection(opening: named, labelled: true)
            if let collection, named == sources { return collection }
        } catch {
            guard case .noLabels = error.reason else { throw error }
            return try ImageCollection(opening: sources)
        }
        return try ImageCollection(opening: sources, labelled: true)
    }
}
