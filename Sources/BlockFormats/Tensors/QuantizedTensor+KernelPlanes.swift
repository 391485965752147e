extension QuantizedTensor {
  /// Runs `body` with the planes of a layout, which several threads may write.
  mutating func withMutableKernelPlanes<Result>(
    _ factors: FactorLayout, _ body: (KernelPlanes) -> Result
  ) -> Result {
    planes.withUnsafeMutableBufferPointer { planes in
      /// Runs a step with a plane and its bytes.
      func with<Value>(_ field: Int?, _ step: (UnsafePlane) -> Value) -> Value {
        guard let field else { return step(.absent) }
        let plane = BitPlane(extentsOf: planes[field])
        return planes[field].bytes.withUnsafeMutableBufferPointer {
          step(UnsafePlane(plane, over: $0))
        }
      }
      return with(0) { codes in
        with(factors.scale?.field) { scales in
          with(factors.shift?.field) { shifts in
            body(KernelPlanes(codes: codes, scales: scales, subscales: shifts))
          }
        }
      }
    }
  }

  /// Runs `body` with the planes of a layout, which it must only read.
  func withKernelPlanes<Result>(
    _ factors: FactorLayout, _ body: (KernelPlanes) -> Result
  ) -> Result {
    func with<Value>(_ field: Int?, _ step: (UnsafePlane) -> Value) -> Value {
      guard let field else { return step(.absent) }
      return planes[field].bytes.withUnsafeBufferPointer {
        step(UnsafePlane(planes[field], over: UnsafeMutableBufferPointer(mutating: $0)))
      }
    }
    return with(0) { codes in
      with(factors.scale?.field) { scales in
        with(factors.shift?.field) { shifts in
          body(KernelPlanes(codes: codes, scales: scales, subscales: shifts))
        }
      }
    }
  }
}
