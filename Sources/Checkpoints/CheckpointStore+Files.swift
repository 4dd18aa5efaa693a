// The store's files as others get them: described, and handed out in pieces.

extension CheckpointStore {
    /// What there is to say of each checkpoint in the folder, newest first, whole or not. A file that has not been written
    /// or read by this store is read once for its digest.
    ///
    /// - Throws: `CheckpointError`.
    public func records() throws(CheckpointError) -> [CheckpointRecord] {
        var records: [CheckpointRecord] = []
        for name in try checkpoints() {
            do throws(CheckpointError) {
                records.append(try record(name))
            } catch {
                // Removed meanwhile to make room for a newer one.
                guard error.isMissingFile else { throw error }
            }
        }
        let present = Set(records.map(\.id))
        known.withLock { $0 = $0.filter { present.contains($0.value.id) } }
        return records
    }

    /// Reads a piece of a checkpoint's file, which need not be whole.
    ///
    /// - Parameter length: the most bytes wanted; fewer come only at the end of the file, none beyond it.
    /// - Returns: the bytes, and how many the whole file has.
    /// - Throws: `CheckpointError`; see `isMissingFile`.
    public func read(
        id: String, offset: Int, length: Int
    ) throws(CheckpointError) -> (bytes: [UInt8], size: Int) {
        precondition(offset >= 0 && length >= 0)
        let file = try StoredFile.open(folder.path(of: try name(of: id).file))
        let count = max(0, min(length, file.size - min(offset, file.size)))
        return (try file.read(at: offset, count: count), file.size)
    }

    private func record(_ name: CheckpointName) throws(CheckpointError) -> CheckpointRecord {
        let path = folder.path(of: name.file)
        let file = try StoredFile.open(path)
        if let record = known.withLock({ $0[name] }), record.bytes == file.size, record.time == file.modificationTime {
            return record
        }
        let record = CheckpointRecord(
            id: name.id, step: name.step, labelEpoch: name.labelEpoch, bytes: file.size, sha256: try file.sha256(),
            time: file.modificationTime, path: path)
        known.withLock { $0[name] = record }
        return record
    }
}
