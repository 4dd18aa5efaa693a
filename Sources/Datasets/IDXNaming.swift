// The usual names of IDX files: `train-images-idx3-ubyte.gz` has its labels in `train-labels-idx1-ubyte.gz`.

import Glibc

enum IDXNaming {
    /// The name without what every IDX file of images has in it, such as `train`.
    static func title(of path: RawPath) -> String {
        var name = path.lastComponent.description
        for ending in [".gz", "-ubyte", ".ubyte", "-idx3", "-idx4", ".idx3", ".idx4", "-images"]
        where name.hasSuffix(ending) {
            name.removeLast(ending.count)
        }
        return name.isEmpty ? path.lastComponent.description : name
    }

    /// The label file of an image file, compressed or not.
    ///
    /// - Throws: `noLabels` where none exists, or the image file's name does not say what it would be called.
    static func labelFile(beside path: RawPath) throws(DatasetError) -> RawPath {
        let folder = path.parent
        let name = path.lastComponent.description
        let labelName = name.replacing("images", with: "labels").replacing("idx3", with: "idx1").replacing(
            "idx4", with: "idx1")
        let plain = labelName.hasSuffix(".gz") ? String(labelName.dropLast(3)) : labelName
        let candidates = labelName == name ? [] : [labelName, plain, plain + ".gz"]
        for candidate in candidates {
            let file = folder.appending(RawPath(candidate))
            if file.withCString({ access($0, F_OK) }) == 0 { return file }
        }
        throw DatasetError(
            path: path.description, reason: .noLabels(expectedFile: candidates.first ?? "a file NAME-labels-idx1-ubyte")
        )
    }
}
