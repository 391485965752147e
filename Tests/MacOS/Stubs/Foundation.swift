// What the package takes from Foundation.
@_exported import Darwin
@_exported import Dispatch

public func atan2(_ y: Double, _ x: Double) -> Double { x }
public func hypot(_ x: Double, _ y: Double) -> Double { x }
public func cos(_ x: Double) -> Double { x }
public func exp(_ x: Double) -> Double { x }
public func log(_ x: Double) -> Double { x }
public func log10(_ x: Double) -> Double { x }
public func log2(_ x: Double) -> Double { x }
public func pow(_ x: Double, _ y: Double) -> Double { x }
public func sin(_ x: Double) -> Double { x }

open class NSObject {}

open class ProcessInfo: NSObject, @unchecked Sendable {
  open class var processInfo: ProcessInfo { ProcessInfo() }
  open var activeProcessorCount: Int { 1 }
  open var arguments: [String] { [] }
  open var environment: [String: String] { [:] }
  open var physicalMemory: UInt64 { 0 }
}

open class Thread: NSObject, @unchecked Sendable {
  open class func detachNewThread(_ block: @escaping @Sendable () -> Void) {}
}

public struct Data: RandomAccessCollection, Sendable {
  public var startIndex: Int { 0 }
  public var endIndex: Int { 0 }
  public subscript(index: Int) -> UInt8 { 0 }
}

public struct URL: Sendable {
  public init(fileURLWithPath path: String) {}
  public func appendingPathComponent(_ name: String) -> URL { self }
  public func deletingLastPathComponent() -> URL { self }
  public var path: String { "" }
}

public struct FileAttributeKey: Hashable, Sendable {
  public static let size = FileAttributeKey()
  public static let type = FileAttributeKey()
}

open class FileManager: NSObject, @unchecked Sendable {
  open class var `default`: FileManager { FileManager() }
  open func contents(atPath path: String) -> Data? { nil }
  open func fileExists(atPath path: String) -> Bool { false }
  open func attributesOfItem(atPath path: String) throws -> [FileAttributeKey: Any] { [:] }
}

extension String {
  public struct Encoding: Sendable {
    public static let utf8 = Encoding()
  }
  public init(contentsOfFile path: String, encoding: Encoding) throws { self = "" }
}

extension String {
  public init?<Bytes: Sequence>(bytes: Bytes, encoding: Encoding) where Bytes.Element == UInt8 {
    return nil
  }
}

public struct FileAttributeType: Hashable, Sendable {
  public static let typeRegular = FileAttributeType()
}

open class JSONSerialization: NSObject {
  public struct ReadingOptions: OptionSet, Sendable {
    public let rawValue: UInt
    public init(rawValue: UInt) { self.rawValue = rawValue }
  }
  open class func jsonObject(with data: Data, options: ReadingOptions = []) throws -> Any { data }
}

public struct ObjCBool: ExpressibleByBooleanLiteral {
  public init(booleanLiteral value: Bool) {}
}

public struct NSRange: Sendable {
  public init(location: Int, length: Int) {}
}

open class NSTextCheckingResult: NSObject {}

open class NSRegularExpression: NSObject, @unchecked Sendable {
  public struct Options: OptionSet, Sendable {
    public let rawValue: UInt
    public init(rawValue: UInt) { self.rawValue = rawValue }
  }
  public struct MatchingOptions: OptionSet, Sendable {
    public let rawValue: UInt
    public init(rawValue: UInt) { self.rawValue = rawValue }
    public static let reportProgress = MatchingOptions(rawValue: 1)
    public static let anchored = MatchingOptions(rawValue: 4)
  }
  public struct MatchingFlags: OptionSet, Sendable {
    public let rawValue: UInt
    public init(rawValue: UInt) { self.rawValue = rawValue }
    public static let progress = MatchingFlags(rawValue: 1)
    public static let internalError = MatchingFlags(rawValue: 16)
  }
  public init(pattern: String, options: Options = []) throws {}
  open func enumerateMatches(
    in text: String, options: MatchingOptions = [], range: NSRange,
    using block: (NSTextCheckingResult?, MatchingFlags, UnsafeMutablePointer<ObjCBool>) -> Void
  ) {}
}
