#!/bin/sh
# Builds stolos from this checkout and installs it: the binary, its completions and its man pages.
#
#   ./install.sh [--prefix DIR]      default: ~/.local
#   ./install.sh --uninstall [--prefix DIR]
set -eu

prefix="${HOME:-}/.local"
uninstall=no

fail() {
    printf 'install.sh: %s\n' "$1" >&2
    exit "${2:-1}"
}

while [ $# -gt 0 ]; do
    case "$1" in
        --prefix)
            [ $# -ge 2 ] || fail '--prefix needs a folder' 2
            prefix=$2
            shift 2
            ;;
        --prefix=*)
            prefix=${1#--prefix=}
            shift
            ;;
        --uninstall)
            uninstall=yes
            shift
            ;;
        -h | --help)
            sed -n '2,5s/^# \{0,1\}//p' "$0"
            exit 0
            ;;
        *)
            fail "what is '$1'? There are --prefix DIR and --uninstall" 2
            ;;
    esac
done

case "$prefix" in
    '' | /.local) fail 'HOME is not set: name a folder with --prefix' ;;
    /*) ;;
    *) prefix=$(pwd)/$prefix ;;
esac

bash_folder=$prefix/share/bash-completion/completions
zsh_folder=$prefix/share/zsh/site-functions
fish_folder=$prefix/share/fish/vendor_completions.d
man_folder=$prefix/share/man/man1

if [ "$uninstall" = yes ]; then
    rm -f "$prefix/bin/stolos" "$bash_folder/stolos" "$zsh_folder/_stolos" "$fish_folder/stolos.fish"
    rm -f "$man_folder/stolos.1" "$man_folder"/stolos-*.1
    printf 'removed stolos from %s; its data, state and cache stay where they are\n' "$prefix"
    exit 0
fi

source=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
[ -f "$source/Cargo.lock" ] || fail "there is no checkout of stolos in $source"
command -v cargo >/dev/null 2>&1 || fail 'cargo is not in the PATH: install Rust first (rustup.rs)'

# Not `cargo install`'s own bookkeeping in the prefix: --uninstall removes what was installed here.
cargo build --release --locked --manifest-path "$source/Cargo.toml" --bin stolos
target=$(cargo metadata --format-version 1 --no-deps --locked --manifest-path "$source/Cargo.toml" |
    sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
binary=$target/release/stolos
[ -x "$binary" ] || fail "the build left no binary at $binary"

mkdir -p "$prefix/bin" "$bash_folder" "$zsh_folder" "$fish_folder" "$man_folder"
# In one move, so that a stolos that runs now is not torn.
cp "$binary" "$prefix/bin/.stolos.new"
chmod 755 "$prefix/bin/.stolos.new"
mv -f "$prefix/bin/.stolos.new" "$prefix/bin/stolos"
cp "$source/completions/stolos.bash" "$bash_folder/stolos"
cp "$source/completions/_stolos" "$zsh_folder/_stolos"
cp "$source/completions/stolos.fish" "$fish_folder/stolos.fish"
rm -f "$man_folder"/stolos-*.1
cp "$source"/man/*.1 "$man_folder/"

printf 'installed %s\n' "$("$prefix/bin/stolos" --version)"
case ":${PATH:-}:" in
    *":$prefix/bin:"*) ;;
    *) printf 'add %s to your PATH\n' "$prefix/bin" ;;
esac
