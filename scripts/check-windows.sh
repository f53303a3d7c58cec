#!/usr/bin/env bash
# Checks that the program compiles for Windows; needs the target's standard library and MinGW.
set -euo pipefail
cd "$(dirname "$0")/.."
target=x86_64-pc-windows-gnu
rustup target list --installed | grep -qx "$target" || rustup target add "$target"
cargo check --release --locked --target "$target"
