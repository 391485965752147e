import FormatBench

Fmtbench.main()
