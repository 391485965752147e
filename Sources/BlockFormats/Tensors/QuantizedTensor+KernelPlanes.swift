extension QuantizedTensor {
  /// Runs `body` with the planes of a layout, which several threads may write.
  mutating func withMutableKernelPlanes<Result>(
    _ layout: KernelLayout, _ body: (KernelPlanes) -> Result
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
        with(layout.scaleField) { scales in
          with(layout.shiftField) { shifts in
            with(layout.offset?.field) { offsets in
              with(layout.outerDoubling) { outer in
                with(layout.innerDoubling) { inner in
                  body(
                    KernelPlanes(
                      codes: codes, scales: scales, subscales: shifts, offsets: offsets,
                      doublings: (outer, inner)))
                }
              }
            }
          }
        }
      }
    }
  }

  /// Runs `body` with the planes of a layout, which it must only read.
  func withKernelPlanes<Result>(
    _ layout: KernelLayout, _ body: (KernelPlanes) -> Result
  ) -> Result {
    // Not the tensor, whose copies take a good share of short calls.
    let planes = planes
    func with<Value>(_ field: Int?, _ step: (UnsafePlane) -> Value) -> Value {
      guard let field else { return step(.absent) }
      return planes[field].bytes.withUnsafeBufferPointer {
        step(UnsafePlane(planes[field], over: UnsafeMutableBufferPointer(mutating: $0)))
      }
    }
    return with(0) { codes in
      with(layout.scaleField) { scales in
        with(layout.shiftField) { shifts in
          with(layout.offset?.field) { offsets in
            with(layout.outerDoubling) { outer in
              with(layout.innerDoubling) { inner in
                body(
                  KernelPlanes(
                    codes: codes, scales: scales, subscales: shifts, offsets: offsets,
                    doublings: (outer, inner)))
              }
            }
          }
        }
      }
    }
  }
}
