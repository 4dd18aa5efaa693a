# shellcheck shell=bash disable=SC2034
# Shared by the scripts in this folder, which source it: messages, system packages, the Swift toolchain.
# Everything it installs comes from apt, without a prompt, and only if it is missing.

# What the package links against; Sources/C*/module.modulemap names the libraries.
readonly build_packages=(
    libzmq3-dev libopenblas-dev libturbojpeg0-dev libpng-dev libwebp-dev zlib1g-dev libssl-dev
    libsqlite3-dev
)

# What the tests need beside that: a compiler for the example in C, videos, a look at the manual page, network namespaces.
readonly test_packages=(ffmpeg gcc libc6-dev mandoc jq iproute2 util-linux sqlite3)

# What the test of the page needs: a browser that can be driven, and pictures for it to look at.
readonly browser_packages=(chromium chromium-driver dataset-fashion-mnist)

say() { printf '\n==> %s\n' "$*"; }

fail() {
    printf '\n%s: %s\n' "${0##*/}" "$*" >&2
    exit 1
}

is_installed() { [[ $(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# apt-get as root, without a prompt whatever a package's scripts would like to ask.
apt_get() {
    local sudo=()
    if ((EUID != 0)); then
        command -v sudo >/dev/null || fail "run this as root, or install sudo: packages are missing (apt-get $*)"
        sudo=(sudo -n)
    fi
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive apt-get --quiet --yes \
        -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3 "$@" </dev/null
}

# Installs those of the given packages that are not there; the lists are fetched only if apt cannot do without.
install_packages() {
    local package missing=()
    for package in "$@"; do is_installed "$package" || missing+=("$package"); done
    ((${#missing[@]})) || return 0
    command -v apt-get >/dev/null ||
        fail "apt-get is not here to install: ${missing[*]}. Install what these are called on this system, from source if need be."

    say "Installing ${missing[*]}"
    apt_get install --no-install-recommends "${missing[@]}" || {
        apt_get update || fail "apt-get update failed; still missing: ${missing[*]}"
        apt_get install --no-install-recommends "${missing[@]}" || fail "apt-get could not install: ${missing[*]}"
    }
}

require_swift() {
    command -v swift >/dev/null || fail "no Swift toolchain on the PATH; get one at https://www.swift.org/install/linux"
}
