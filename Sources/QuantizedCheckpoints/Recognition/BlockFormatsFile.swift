extension Recognition { mutating func readBlockFormats() throws(CheckpointError) {} }
