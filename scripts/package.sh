#!/usr/bin/env bash
# Makes a stripped binary archive and a Debian package in dist/.
set -euo pipefail
cd "$(dirname "$0")/.."

version=$(sed -n 's/^version = "\(.*\)"/\1/p' Cargo.toml | head -n 1)
target="${CARGO_TARGET_DIR:-target}"
cargo build --release --locked
rm -rf dist
stage="dist/orthobrush-$version"
mkdir -p "$stage"
install -m 755 "$target/release/orthobrush" "$stage/orthobrush"
strip "$stage/orthobrush"
cp README.md CHANGELOG.md LICENSE-MIT LICENSE-APACHE "$stage/"
tar -C dist -czf "dist/orthobrush-$version-x86_64-linux.tar.gz" "orthobrush-$version"

package=dist/deb
mkdir -p "$package/DEBIAN" "$package/usr/bin" "$package/usr/share/applications" \
  "$package/usr/share/doc/orthobrush"
install -m 755 "$stage/orthobrush" "$package/usr/bin/orthobrush"
install -m 644 LICENSE-MIT LICENSE-APACHE README.md "$package/usr/share/doc/orthobrush/"
install -m 644 assets/orthobrush.desktop "$package/usr/share/applications/"
cat >"$package/DEBIAN/control" <<CONTROL
Package: orthobrush
Version: $version
Section: science
Priority: optional
Architecture: amd64
Depends: libc6, libgcc-s1, libvulkan1, libxkbcommon-x11-0, libxcursor1, libxi6, libx11-xcb1
Recommends: mesa-vulkan-drivers, zenity | xdg-desktop-portal
Maintainer: The Orthobrush authors <orthobrush@localhost>
Description: Browse, correct, train and compare masks of aerial imagery
 Opens orthophotos of any size, corrects their masks with a brush, trains a
 segmentation network on them and shows original, label and prediction side by
 side. One binary; any GPU through Vulkan, else the CPU.
CONTROL
dpkg-deb --root-owner-group --build "$package" "dist/orthobrush_${version}_amd64.deb" >/dev/null
rm -rf "$package"
ls -l dist
