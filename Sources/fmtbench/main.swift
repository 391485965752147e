import BlockFormats
import Dispatch
import Foundation

var g = SystemRandomNumberGenerator()
func normal() -> Double {
  let u = Double.random(in: 0..<1), v = Double.random(in: 0..<1)
  return (-2 * log(1 - u)).squareRoot() * cos(2 * .pi * v)
}
let n = 10000, len = 256
var a: [Float] = [], b: [Float] = []
for _ in 0..<n {
  let s = abs(normal())
  for _ in 0..<len { let z = normal(); a.append(Float(z * s)); b.append(Float(z)) }
}
for f in FormatCatalog.standard {
  var out = f.id.padding(toLength: 20, withPad: " ", startingAt: 0)
  for v in [a, b] {
    let t = Tensor(v, shape: [n, len])
    let t0 = DispatchTime.now().uptimeNanoseconds
    let r = t.fakeQuantized(to: f)
    let dt = Double(DispatchTime.now().uptimeNanoseconds - t0) / 1e9
    let q = t.quantized(to: f)
    let dt2 = Double(DispatchTime.now().uptimeNanoseconds - t0) / 1e9 - dt
    precondition(q.dequantized().elements == r.tensor.elements)
    var e = 0.0, x2 = 0.0
    for i in v.indices {
      let d = Double(r.tensor.elements[i]) - Double(v[i]); e += d * d;
      x2 += Double(v[i]) * Double(v[i])
    }
    out += String(
      format: "  %6.2f dB %.3f bpe sat %d exact %d %.1f ns %.1f ns", 10 * log10(x2 / e),
      q.bitsPerElement, r.tally.saturatedCount, r.exactBlockCount, dt * 1e9 / Double(v.count),
      dt2 * 1e9 / Double(v.count))
  }
  print(out)
}
