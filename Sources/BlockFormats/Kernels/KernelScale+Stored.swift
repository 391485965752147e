internal import CBlockKernels

extension BKScalar {
  /// The type of numbers of a format; `nil` where kernels have none.
  init?(storing format: ElementFormat) {
    switch format {
    case .fp32: self = BK_FLOAT32
    case .fp16: self = BK_FLOAT16
    case .bf16: self = BK_BFLOAT16
    default: return nil
    }
  }

  /// The bytes of a number.
  var byteCount: Int { self == BK_FLOAT32 ? 4 : 2 }
}

extension BKBlockCoder {
  /// An encoder of blocks that stores numbers of a format; `nil` where kernels cannot.
  ///
  /// Numbers up to the largest of the format, and far from that of FP32, leave nothing to a policy.
  init?(
    _ kind: BKCoderKind, _ element: BKElement?, block: BlockShape, greatest: Float,
    storing format: ElementFormat
  ) {
    guard let element, element.isNarrow, let stored = BKScalar(storing: format),
      case .vector(let length) = block
    else { return nil }
    self.init()
    self.kind = kind
    self.element = element
    self.block = length
    self.greatest = greatest
    self.stored = stored
    reach = min(Float(format.greatestFiniteMagnitude), 0x1p100)
  }
}

extension AffineFormat: KernelFormat {
  var kernelScaling: BKElement.Scaling { .byRounding }
  var poisonCode: UInt32 { 0 }

  func kernelElement(policy: EncodingPolicy) -> BKElement? {
    BKElement(
      element, encoder: ElementEncoder(element, policy: policy), poison: poisonCode,
      scaling: kernelScaling)
  }

  func kernelScale(policy: EncodingPolicy) -> KernelScale? {
    guard
      var coder = BKBlockCoder(
        BK_CODER_EDGE, kernelElement(policy: policy), block: layout.block,
        greatest: Float(element.greatestFiniteMagnitude),
        storing: layout.fields[Field.scale].element)
    else { return nil }
    coder.least_step = AffineFormat.leastStep
    return .stored(coder)
  }
}

extension GGMLSignedFormat: KernelFormat {
  var kernelScaling: BKElement.Scaling { .byRounding }
  var poisonCode: UInt32 { 0 }

  func kernelElement(policy: EncodingPolicy) -> BKElement? { BKElement(offsetIntegers: element) }

  func kernelScale(policy: EncodingPolicy) -> KernelScale? {
    BKBlockCoder(
      BK_CODER_FIRST, kernelElement(policy: policy), block: layout.block,
      greatest: Float(-element.value(of: 0)), storing: layout.fields[Field.scale].element
    ).map(KernelScale.stored)
  }
}

extension GGMLAmaxFormat: KernelFormat {
  var kernelScaling: BKElement.Scaling { .byRounding }
  var poisonCode: UInt32 { 0 }

  func kernelElement(policy: EncodingPolicy) -> BKElement? {
    let encoder = ElementEncoder(element, policy: policy)
    return BKElement(element, encoder: encoder, poison: poisonCode, scaling: kernelScaling)?
      .limited(to: limit, by: encoder)
  }

  func kernelScale(policy: EncodingPolicy) -> KernelScale? {
    BKBlockCoder(
      BK_CODER_AMAX, kernelElement(policy: policy), block: layout.block, greatest: greatest,
      storing: layout.fields[Field.scale].element
    ).map(KernelScale.stored)
  }
}

extension GGMLRangeFormat: KernelFormat {
  var kernelScaling: BKElement.Scaling { .byRounding }
  var poisonCode: UInt32 { 0 }

  func kernelElement(policy: EncodingPolicy) -> BKElement? {
    BKElement(
      element, encoder: ElementEncoder(element, policy: policy), poison: poisonCode,
      scaling: kernelScaling)
  }

  func kernelScale(policy: EncodingPolicy) -> KernelScale? {
    BKBlockCoder(
      BK_CODER_RANGE, kernelElement(policy: policy), block: layout.block, greatest: greatestCode,
      storing: layout.fields[Field.scale].element
    ).map(KernelScale.stored)
  }
}

extension GGMLTableFormat: KernelFormat {
  var kernelScaling: BKElement.Scaling { .byRounding }
  var poisonCode: UInt32 { codeOfZero }

  func kernelScale(policy: EncodingPolicy) -> KernelScale? {
    let search = ElementEncoder(element, rounding: .toNearestOrUp, overflow: policy.overflow)
    guard case .vector(let length) = layout.block, length <= Int(BK_LONGEST_FIT),
      let searched = BKElement(
        element, encoder: search, poison: poisonCode, scaling: kernelScaling),
      var coder = BKBlockCoder(
        BK_CODER_FIT, kernelElement(policy: policy), block: layout.block, greatest: 0,
        storing: layout.fields[Field.scale].element)
    else { return nil }
    coder.search = searched
    coder.trials = Int32(trialReach(of: policy.scaleRule))
    (coder.least, coder.least_magnitude) = (least, GGMLFactorSearch.leastMagnitude)
    return .stored(coder)
  }
}
