#!/bin/sh
# Installs ccsync from its releases, for one user, without root:
#
#   curl -fsSL https://github.com/claude-session-sync/ccsync/releases/latest/download/install.sh | sh
#
# With options: ... | sh -s -- --completions
set -eu

usage() {
  cat <<'USAGE'
Install ccsync, or bring it up to date.

Usage: sh install.sh [options]

Options:
  --version VERSION  this version (default: the latest)
  --to DIRECTORY     where programs go (default: ~/.local/bin)
  --completions      also for bash, zsh and fish, and the manual page
  --force            replace another program of that name
  --uninstall        remove ccsync; sessions and configuration stay
  --help             show this text

CCSYNC_BASE_URL names another place than GitHub to download releases from.
USAGE
}

say() { printf '%s\n' "$*"; }

fail() {
  printf 'error: %s\n' "$1" >&2
  shift
  for hint in "$@"; do printf 'hint: %s\n' "$hint" >&2; done
  exit 1
}

has() { command -v "$1" >/dev/null 2>&1; }

# Prints the target's name, as releases are named.
target() {
  system=$(uname -s)
  machine=$(uname -m)
  case $system in
    Linux)
      # Musl's programs name themselves when asked for their version, and fail.
      if has ldd && ldd --version 2>&1 | grep -qi musl; then
        fail "cannot install ccsync: this system has musl in place of glibc" \
          "run it from source, which the README describes"
      fi
      suffix=unknown-linux-gnu
      ;;
    Darwin)
      # A shell that is translated by Rosetta does not know the real machine.
      if [ "$(sysctl -n sysctl.proc_translated 2>/dev/null || true)" = 1 ]; then machine=arm64; fi
      suffix=apple-darwin
      ;;
    MINGW* | MSYS* | CYGWIN*)
      fail "cannot install ccsync: this is Windows" "in PowerShell, run install.ps1"
      ;;
    *) fail "cannot install ccsync: there is none for $system" "run it from source, which the README describes" ;;
  esac
  case $machine in
    x86_64 | amd64) say "x86_64-$suffix" ;;
    aarch64 | arm64) say "aarch64-$suffix" ;;
    *) fail "cannot install ccsync: there is none for $machine" "run it from source, which the README describes" ;;
  esac
}

# download URL FILE
download() {
  if has curl; then
    # Nothing leads from an encrypted address to one that is not.
    case $1 in
      https:*) curl -fsSL --retry 2 --proto '=https' --tlsv1.2 -o "$2" "$1" && return ;;
      *) curl -fsSL -o "$2" "$1" && return ;;
    esac
  elif has wget; then
    wget -q -O "$2" "$1" && return
  else
    fail "cannot download ccsync: neither curl nor wget is installed"
  fi
  fail "cannot download $1" "see whether the network and the address are right; nothing was changed"
}

# Prints the SHA-256 of a file.
checksum() {
  if has sha256sum; then
    sha256sum "$1" | cut -d ' ' -f 1
  elif has shasum; then
    shasum -a 256 "$1" | cut -d ' ' -f 1
  elif has openssl; then
    openssl dgst -sha256 -r "$1" | cut -d ' ' -f 1
  else
    fail "cannot verify the download: none of sha256sum, shasum and openssl is installed"
  fi
}

# Refuses to replace what is not ours: the Python tool of the same name is a script.
check_place() {
  if [ "$force" = yes ] || [ ! -e "$1" ]; then return; fi
  if [ -d "$1" ]; then fail "cannot install ccsync: $1 is a directory"; fi
  if [ "$(head -c 2 "$1" 2>/dev/null || true)" = '#!' ]; then
    fail "cannot install ccsync: $1 is another program" \
      "remove it (pip uninstall claude-session-sync, if it is that one), or pass --force"
  fi
}

# The one line of SHA256SUMS that is for this target names version and checksum of the archive.
install_ccsync() {
  target=$(target)
  if [ -n "$version" ]; then
    releases="$base_url/download/v$version"
  else
    releases="$base_url/latest/download"
  fi
  mkdir -p "$directory" 2>/dev/null || fail "cannot install ccsync: $directory cannot be made" "name another with --to"
  check_place "$directory/ccsync"
  # Beside its place, so that it gets there by a rename.
  work=$(mktemp -d "$directory/.ccsync-install-XXXXXX" 2>/dev/null) ||
    fail "cannot install ccsync: $directory cannot be written to" "name another with --to"
  trap 'rm -rf "$work"' EXIT
  trap 'exit 1' HUP INT TERM

  download "$releases/SHA256SUMS" "$work/SHA256SUMS"
  line=$(grep -E "^[0-9a-f]{64} [ *]ccsync-[0-9][0-9A-Za-z.+-]*-$target\\.tar\\.gz\$" "$work/SHA256SUMS" || true)
  if [ -z "$line" ]; then fail "cannot install ccsync: the release has none for $target"; fi
  expected=${line%% *}
  archive=${line#* ?}
  folder=${archive%.tar.gz}
  say "downloading $archive"
  download "$releases/$archive" "$work/$archive"
  actual=$(checksum "$work/$archive")
  if [ "$actual" != "$expected" ]; then
    fail "cannot use $archive: its checksum is not the one of the release" "nothing was changed; try again later"
  fi
  tar -xzf "$work/$archive" -C "$work" || fail "cannot unpack $archive" "nothing was changed"
  installed=$("$work/$folder/ccsync" --version 2>&1) ||
    fail "cannot use $archive: it does not start here: $installed" "nothing was changed"
  mv -f "$work/$folder/ccsync" "$directory/ccsync"
  link_alias
  if [ "$completions" = yes ]; then install_completions; fi
  say "installed ccsync $installed into $directory"
  advise_path
  say "next: ccsync init"
}

# Its long name leads to it, unless another program has that.
link_alias() {
  long="$directory/claude-session-sync"
  if [ -e "$long" ] && [ ! -L "$long" ] && [ "$force" != yes ]; then
    say "left $long alone: it is another program"
    return
  fi
  rm -f "$long"
  ln -s ccsync "$long"
}

bash_file="${XDG_DATA_HOME:-${HOME:?}/.local/share}/bash-completion/completions/ccsync"
zsh_file="${XDG_DATA_HOME:-$HOME/.local/share}/zsh/site-functions/_ccsync"
fish_file="${XDG_CONFIG_HOME:-$HOME/.config}/fish/completions/ccsync.fish"
man_file="${XDG_DATA_HOME:-$HOME/.local/share}/man/man1/ccsync.1"

install_completions() {
  mkdir -p "${bash_file%/*}" "${zsh_file%/*}" "${fish_file%/*}" "${man_file%/*}"
  "$directory/ccsync" completions bash >"$bash_file"
  "$directory/ccsync" completions zsh >"$zsh_file"
  "$directory/ccsync" completions fish >"$fish_file"
  page="$work/$folder/ccsync.1"
  if [ -f "$page" ]; then cp "$page" "$man_file"; fi
  say "completions are in place; zsh wants this before compinit in ~/.zshrc: fpath+=('${zsh_file%/*}')"
}

advise_path() {
  case ":$PATH:" in
    *":$directory:"*)
      found=$(command -v ccsync || true)
      if [ -n "$found" ] && [ "$found" != "$directory/ccsync" ]; then
        say "note: ccsync still means $found, which comes first on the PATH"
      fi
      return
      ;;
  esac
  say "$directory is not on the PATH yet; for shells that are started from now on:"
  case ${SHELL:-} in
    */fish) say "  fish_add_path '$directory'" ;;
    */zsh) say "  echo 'export PATH=\"$directory:\$PATH\"' >> ~/.zshrc" ;;
    */bash) say "  echo 'export PATH=\"$directory:\$PATH\"' >> ~/.bashrc" ;;
    *) say "  echo 'export PATH=\"$directory:\$PATH\"' >> ~/.profile" ;;
  esac
}

# Takes back what ccsync put elsewhere, too: a hook or a schedule would go on calling what is gone.
uninstall() {
  program="$directory/ccsync"
  if [ ! -e "$program" ]; then fail "cannot uninstall ccsync: there is no $program" "name its directory with --to"; fi
  check_place "$program"
  "$program" daemon --stop >/dev/null 2>&1 || true
  "$program" daemon uninstall >/dev/null 2>&1 || true
  "$program" setup-hooks --remove >/dev/null 2>&1 || true
  rm -f "$program" "$bash_file" "$zsh_file" "$fish_file" "$man_file"
  if [ "$(readlink "$directory/claude-session-sync" 2>/dev/null || true)" = ccsync ]; then
    rm -f "$directory/claude-session-sync"
  fi
  say "removed ccsync, its hooks and its schedule; what it remembers stays in ~/.claude-session-sync"
}

main() {
  base_url=${CCSYNC_BASE_URL:-https://github.com/claude-session-sync/ccsync/releases}
  directory="$HOME/.local/bin"
  version=""
  completions=no
  force=no
  action=install_ccsync
  while [ "$#" -gt 0 ]; do
    case $1 in
      --version | --to)
        if [ "$#" -lt 2 ]; then fail "cannot read the command line: $1 wants a value"; fi
        if [ "$1" = --to ]; then directory=$2; else version=${2#v}; fi
        shift
        ;;
      --completions) completions=yes ;;
      --force) force=yes ;;
      --uninstall) action=uninstall ;;
      --help)
        usage
        exit 0
        ;;
      *) fail "cannot read the command line: $1 is unknown" "sh install.sh --help" ;;
    esac
    shift
  done
  case $version in
    *[!0-9A-Za-z.+-]*) fail "cannot install ccsync: $version is no version" ;;
  esac
  case $directory in
    /*) ;;
    *) directory="$(pwd)/$directory" ;;
  esac
  "$action"
}

# In one step at the very end: of a script that was cut off on its way, nothing is run.
main "$@"
