import CallerChecks
import Foundation

extension SyntheticCorpus {
  /// The expected conditional entropy of the targets at each position, in nats.
  static func positionFloors(
    _ parameters: Parameters, contextCount: Int, successorEntropy: Double, nameOrWord: Categorical
  ) -> [Double] {
    let names = parameters.nameCount
    let length = parameters.phraseLength
    let nameProbability = nameOrWord.probability(0)
    let freeEntropy =
      nameOrWord.entropy + nameProbability * log(Double(names))
      + nameOrWord.probability(1) * successorEntropy
    // Probabilities by the number of names seen: of free text, and of a phrase by words to come.
    var free = [Double](repeating: 0, count: names + 1)
    var fresh = [[Double]](repeating: [Double](repeating: 0, count: length), count: names + 1)
    var repeated = fresh
    free[0] = 1
    return (0..<contextCount).map { _ in
      let freeProbability = free.reduce(0, +)
      let freshProbability = fresh.joined().reduce(0, +)
      let floor = freeProbability * freeEntropy + freshProbability * successorEntropy
      for seen in (0...names).reversed() {
        let staying = free[seen] * nameOrWord.probability(1)
        let named = free[seen] * nameProbability / Double(names)
        free[seen] = staying + fresh[seen].removeFirst() + repeated[seen].removeFirst()
        fresh[seen].append(0)
        repeated[seen].append(named * Double(seen))
        // A new name raises the number seen, whose state of the next position is complete but for
        // this.
        if seen < names { fresh[seen + 1][length - 1] += named * Double(names - seen) }
      }
      return floor
    }
  }

  /// What each token of a sequence costs who knows the language: -ln of its probability given all
  /// tokens before it, in nats; infinite for a token that cannot follow.
  ///
  /// The mean over the targets of a batch is the loss of the perfect model on just this batch. Its
  /// expectation is `lossFloor`, but taking it off a measured loss also takes off most of the
  /// chance in the choice of the batch.
  ///
  /// - Parameter sequence: A sequence from its start, such as the tokens of a row and then its last
  ///   target; at least one token.
  /// - Returns: One number less than there are tokens: the first token is no target.
  /// - Precondition: The tokens lie in the vocabulary.
  public func surprisals(of sequence: [Int32]) -> [Double] {
    require(
      !sequence.isEmpty && sequence.allSatisfy { (0..<Int32(vocabularyCount)).contains($0) },
      "a sequence of \(sequence.count) tokens, not all below \(vocabularyCount)")
    var place = PhrasePlace.free
    var phrases: [Int32: Int] = [:]
    return sequence.indices.dropFirst().map { position in
      let token = sequence[position]
      let previous = position > 1 ? sequence[position - 2] : nil
      let word = self.probability(of: token, following: sequence[position - 1], after: previous)
      let isName = Int(token) >= wordCount
      let probability: Double
      switch place {
      case .free where isName:
        probability = nameOrWord.probability(0) / Double(parameters.nameCount)
        if let start = phrases[token] {
          place = .repeated(next: start, left: parameters.phraseLength)
        } else {
          phrases[token] = position + 1
          place = .new(left: parameters.phraseLength)
        }
        return -log(probability)
      case .free: probability = nameOrWord.probability(1) * word
      case .new: probability = word
      case .repeated(let next, _): probability = token == sequence[next] ? 1 : 0
      }
      place.advance()
      return -log(probability)
    }
  }
}
