import FormatBench

// BuildStampPlugin writes the stamp when this is built.
Fmtbench.main(buildStamp)
