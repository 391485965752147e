#!/bin/sh
# Writes BuildStamp.swift: the commit of a package and the version of a compiler.
#
#   stamp.sh PACKAGE SWIFTC FOLDER
#
# Outside a checkout of the package itself, or without git, the commit is unknown; no build fails
# for it. The file is left alone while nothing changes, so that nothing is compiled again.
package=$(cd "$1" && pwd -P)
export GIT_OPTIONAL_LOCKS=0

commit=unknown
# An unpacked archive may lie in the checkout of something else.
if [ "$(git -C "$package" rev-parse --show-toplevel 2>/dev/null)" = "$package" ]; then
  commit=$(git -C "$package" rev-parse HEAD 2>/dev/null) || commit=unknown
  if [ -n "$(git -C "$package" status --porcelain --untracked-files=no 2>/dev/null)" ]; then
    commit="$commit with changes"
  fi
fi
compiler=$("$2" --version 2>/dev/null | sed -n 's/.*\(Swift version .*\)/\1/p' | head -n 1)

text="import CommandLineToolkit

/// The commit and the compiler of this build.
let buildStamp = BuildStamp(commit: #\"$commit\"#, compiler: #\"${compiler:-unknown}\"#)"
file=$3/BuildStamp.swift
[ "$(cat "$file" 2>/dev/null)" = "$text" ] || printf '%s\n' "$text" >"$file"
