#!/usr/bin/env bash
# Checks that the program compiles for Windows.
# Needs the target's standard library (rustup) and MinGW (Debian: gcc-mingw-w64-x86-64).
set -euo pipefail
cd "$(dirname "$0")/.."
target=x86_64-pc-windows-gnu
rustup target list --installed | grep -qx "$target" || rustup target add "$target"
# A dependency's build script calls MinGW's resource compiler by its short name.
tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
ln -s "$(command -v x86_64-w64-mingw32-windres)" "$tools/windres"
PATH="$tools:$PATH" cargo check --release --locked --target "$target"
