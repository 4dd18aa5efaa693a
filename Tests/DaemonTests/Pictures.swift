// Small files as senders send them, made once with Pillow and zlib; none is larger than a kilobyte.

import Foundation

enum Pictures {
    /// 32 x 32, colour gradients: `Image.save(f, "JPEG", quality=60)`.
    static let jpeg = bytes(
        """
        /9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAA0JCgsKCA0LCgsODg0PEyAVExISEyccHhcgLikxMC4pLSwzOko+MzZGNywtQFdBRkxOUlNSMj5a\
        YVpQYEpRUk//2wBDAQ4ODhMREyYVFSZPNS01T09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT09PT0//wAAR\
        CAAgACADASIAAhEBAxEB/8QAHwAAAQUBAQEBAQEAAAAAAAAAAAECAwQFBgcICQoL/8QAtRAAAgEDAwIEAwUFBAQAAAF9AQIDAAQRBRIhMUEG\
        E1FhByJxFDKBkaEII0KxwRVS0fAkM2JyggkKFhcYGRolJicoKSo0NTY3ODk6Q0RFRkdISUpTVFVWV1hZWmNkZWZnaGlqc3R1dnd4eXqDhIWG\
        h4iJipKTlJWWl5iZmqKjpKWmp6ipqrKztLW2t7i5usLDxMXGx8jJytLT1NXW19jZ2uHi4+Tl5ufo6erx8vP09fb3+Pn6/8QAHwEAAwEBAQEB\
        AQEBAQAAAAAAAAECAwQFBgcICQoL/8QAtREAAgECBAQDBAcFBAQAAQJ3AAECAxEEBSExBhJBUQdhcRMiMoEIFEKRobHBCSMzUvAVYnLRChYk\
        NOEl8RcYGRomJygpKjU2Nzg5OkNERUZHSElKU1RVVldYWVpjZGVmZ2hpanN0dXZ3eHl6goOEhYaHiImKkpOUlZaXmJmaoqOkpaanqKmqsrO0\
        tba3uLm6wsPExcbHyMnK0tPU1dbX2Nna4uPk5ebn6Onq8vP09fb3+Pn6/9oADAMBAAIRAxEAPwDj0tvarCW3tWglt7VOlt7V9Pjq+5jg8SZ6\
        W3tU6W3tWglt7VOlt7V8djq+59Vg8SOS29qnS29q0Etvap0tvavYx1fc/NsHiTPS29qsJbe1X0tvarCW3tXx2Or7n1eDxJ//2Q==
        """)

    /// 8 x 8, grey value 200: `Image.new("L", (8, 8), 200).save(f, "PNG")`.
    static let png = bytes(
        "iVBORw0KGgoAAAANSUhEUgAAAAgAAAAICAAAAADhZOFXAAAAEElEQVR4nGM8wQABTAwUMQA6AADYhMgK6QAAAABJRU5ErkJggg==")

    /// 32 x 32, colour gradients: `Image.save(f, "WEBP", quality=50)`.
    static let webp = bytes(
        """
        UklGRnQAAABXRUJQVlA4IGgAAAAQAwCdASogACAAAsBMJbACdMzQwN6BTAATgGjTT/1qGXIA/vap4zCTpKPf//6ieMcWtQASSLfDcRBcO9vH\
        JZvqJVXjObZ7GeP039wvmXe0Ek3Y0Tp1pb6oOi+qfl3CZ3EdIVvrnjAAAA==
        """)

    /// A PNG that declares 60,000 x 60,000 pixels of three bytes and has 74.
    static let bomb = bytes(
        "iVBORw0KGgoAAAANSUhEUgAA6mAAAOpgCAIAAAAPsOIVAAAAEUlEQVR4nGNgGAWjYBQMdwAAA+gAAbOm00YAAAAASUVORK5CYII=")

    /// 1 x 1: `Image.new("RGB", (1, 1)).save(f, "PNG")`.
    static let onePixel = bytes(
        "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAIAAACQd1PeAAAADElEQVR4nGNgYGAAAAAEAAH2FzhVAAAAAElFTkSuQmCC")

    private static func bytes(_ base64: String) -> [UInt8] { [UInt8](Data(base64Encoded: base64)!) }
}
