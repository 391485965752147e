extension HadamardTransform {
  /// Along rows: blocks of neighbours, four to a vector.
  ///
  /// - Parameters:
  ///   - source: rows, `stride` numbers from one to the next.
  ///   - result: receives rows without gaps; may be the memory of `source` if that has none.
  func transformRows(
    _ source: UnsafePointer<Float>, stride: Int, into result: UnsafeMutablePointer<Float>,
    rows: Int, columns: Int, _ direction: Direction = .forward
  ) {
    let segments = HadamardTransform.segments(of: columns, length: length)
    let quads = max(1, length / 4)
    withUnsafeTemporaryAllocation(of: SIMD4<Float>.self, capacity: 2 * quads) { scratch in
      guard let block = scratch.baseAddress else { return }
      let signs = block + quads
      signs.initialize(repeating: .one, count: quads)
      for (index, sign) in self.signs.enumerated() { signs[index / 4][index % 4] = sign }
      for row in 0..<rows {
        for segment in segments {
          let from = source + row * stride + segment.lowerBound
          let to = result + row * columns + segment.lowerBound
          let count = segment.count
          if count >= 4 {
            HadamardTransform.transformQuads(
              from, to, count / 4, block, signs, direction)
          } else {
            transformFew(from, to, count, direction)
          }
        }
      }
    }
  }

  /// One block of at least four neighbours.
  private static func transformQuads(
    _ source: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ quads: Int,
    _ block: UnsafeMutablePointer<SIMD4<Float>>, _ signs: UnsafeMutablePointer<SIMD4<Float>>,
    _ direction: Direction
  ) {
    let from = UnsafeRawPointer(source)
    let one = SIMD4<Float>(1, -1, 1, -1)
    let two = SIMD4<Float>(1, 1, -1, -1)
    for index in 0..<quads {
      var v = from.loadUnaligned(fromByteOffset: 16 * index, as: SIMD4<Float>.self)
      if direction == .forward { v *= signs[index] }
      // a - b is a + (-b), and the order of a sum's terms does not change its value.
      v = v * one + SIMD4(v.y, v.x, v.w, v.z)
      block[index] = v * two + SIMD4(v.z, v.w, v.x, v.y)
    }
    butterflies(block, quads)
    let factor = SIMD4<Float>(repeating: factor(4 * quads))
    let to = UnsafeMutableRawPointer(result)
    for index in 0..<quads {
      var v = block[index] * factor
      if direction == .transposed { v *= signs[index] }
      to.storeBytes(of: v, toByteOffset: 16 * index, as: SIMD4<Float>.self)
    }
  }

  /// One block of one or two neighbours, in a tail or of a short transform.
  private func transformFew(
    _ source: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ count: Int,
    _ direction: Direction
  ) {
    let before = direction == .forward ? signs : [1, 1]
    let after = direction == .forward ? [1, 1] : signs
    let a = source[0] * before[0]
    guard count == 2 else {
      result[0] = a * after[0]
      return
    }
    let b = source[1] * before[1]
    let factor = HadamardTransform.factor(2)
    result[0] = (a + b) * factor * after[0]
    result[1] = (a - b) * factor * after[1]
  }

  /// Down columns: butterflies between rows, eight columns at a time.
  func transformColumns(
    _ source: UnsafePointer<Float>, _ result: UnsafeMutablePointer<Float>, _ columns: Int,
    _ segments: [Range<Int>], _ direction: Direction
  ) {
    withUnsafeTemporaryAllocation(of: SIMD8<Float>.self, capacity: length) { scratch in
      guard let block = scratch.baseAddress else { return }
      for segment in segments {
        let count = segment.count
        let factor = SIMD8<Float>(repeating: HadamardTransform.factor(count))
        for column in stride(from: 0, to: columns, by: 8) {
          let lanes = min(8, columns - column)
          for row in 0..<count {
            let from = source + (segment.lowerBound + row) * columns + column
            let v = SIMD8(loading: from, lanes)
            block[row] = direction == .forward ? v * signs[row] : v
          }
          HadamardTransform.butterflies(block, count)
          for row in 0..<count {
            let v = block[row] * factor
            let to = result + (segment.lowerBound + row) * columns + column
            (direction == .forward ? v : v * signs[row]).store(to, lanes)
          }
        }
      }
    }
  }

  /// Butterflies between vectors, at distances that double from one.
  @inline(__always)
  private static func butterflies<Vector: SIMD<Float>>(
    _ block: UnsafeMutablePointer<Vector>, _ count: Int
  ) {
    var distance = 1
    // Two stages in one pass over the block, then perhaps a last one.
    while 4 * distance <= count {
      for start in stride(from: 0, to: count, by: 4 * distance) {
        for index in start..<start + distance {
          let (a, b) = (block[index], block[index + distance])
          let (c, d) = (block[index + 2 * distance], block[index + 3 * distance])
          let (sumAB, differenceAB, sumCD, differenceCD) = (a + b, a - b, c + d, c - d)
          block[index] = sumAB + sumCD
          block[index + distance] = differenceAB + differenceCD
          block[index + 2 * distance] = sumAB - sumCD
          block[index + 3 * distance] = differenceAB - differenceCD
        }
      }
      distance *= 4
    }
    guard distance < count else { return }
    for index in 0..<distance {
      let (a, b) = (block[index], block[index + distance])
      block[index] = a + b
      block[index + distance] = a - b
    }
  }
}

extension SIMD8<Float> {
  /// The first lanes from memory, the others zero.
  @inline(__always)
  fileprivate init(loading source: UnsafePointer<Float>, _ lanes: Int) {
    if lanes == 8 {
      self = UnsafeRawPointer(source).loadUnaligned(as: SIMD8<Float>.self)
    } else {
      self = .zero
      for lane in 0..<lanes { self[lane] = source[lane] }
    }
  }

  /// Writes the first lanes to memory.
  @inline(__always)
  fileprivate func store(_ result: UnsafeMutablePointer<Float>, _ lanes: Int) {
    if lanes == 8 {
      UnsafeMutableRawPointer(result).storeBytes(of: self, as: SIMD8<Float>.self)
    } else {
      for lane in 0..<lanes { result[lane] = self[lane] }
    }
  }
}
