#!/bin/sh
# Installs HaloTrack on Debian, Ubuntu or Fedora with systemd: binary, user, folders, hardened unit, and on request a
# snippet for the web server in front. Safe to run again: it then upgrades, and keeps data and configuration.
#
#   sudo ./install.sh --binary target/release/halotrack --public-url https://stats.example.com --proxy caddy
#   sudo ./install.sh --url https://…/halotrack --sha256 HEX …      fetches the binary instead
#   sudo ./install.sh --uninstall [--delete-data]                    data and configuration stay unless told
#
# With --binary no network is needed. DESTDIR=/folder writes below that folder and touches nothing of the system.
set -eu

usage() {
    cat <<'TEXT'
Usage: install.sh [--binary FILE | --url URL --sha256 HEX] [--public-url URL] [--listen ADDR:PORT]
                  [--proxy caddy|nginx] [--no-start]
       install.sh --uninstall [--delete-data]
TEXT
}

say() { printf '%s\n' "$*"; }
fail() { printf 'install.sh: %s\n' "$*" >&2; exit 1; }
wrong() { printf 'install.sh: %s\n' "$*" >&2; usage >&2; exit 2; }

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
DESTDIR=${DESTDIR:-}
if [ -n "$DESTDIR" ]; then
    # A folder of a packager or a test: the system is left alone unless somebody names what to call.
    systemctl=${SYSTEMCTL:-:} journalctl=${JOURNALCTL:-:} useradd=${USERADD:-:} userdel=${USERDEL:-:} chown=${CHOWN:-:}
else
    systemctl=systemctl journalctl=journalctl useradd=useradd userdel=userdel chown=chown
fi

binary='' url='' sha256='' public_url='' listen='' proxy='' start=yes action=install delete_data=no
while [ $# -gt 0 ]; do
    case $1 in
        --binary|--url|--sha256|--public-url|--listen|--proxy)
            [ $# -ge 2 ] || wrong "$1 needs a value."
            case $1 in
                --binary) binary=$2 ;;
                --url) url=$2 ;;
                --sha256) sha256=$2 ;;
                --public-url) public_url=${2%/} ;;
                --listen) listen=$2 ;;
                --proxy) proxy=$2 ;;
            esac
            shift 2 ;;
        --no-start) start=no; shift ;;
        --uninstall) action=uninstall; shift ;;
        --delete-data) delete_data=yes; shift ;;
        -h|--help) usage; exit 0 ;;
        *) wrong "$1 is not known." ;;
    esac
done
case $proxy in ''|caddy|nginx) ;; *) wrong "--proxy is caddy or nginx." ;; esac
case $public_url in ''|http://?*|https://?*) ;; *) wrong "--public-url begins with https://." ;; esac
case $public_url$listen in *[!A-Za-z0-9:/.\[\]_-]*) wrong "--public-url and --listen hold letters, digits and :/.-_[] only." ;; esac
[ "$delete_data" = no ] || [ "$action" = uninstall ] || wrong "--delete-data belongs to --uninstall."
[ -z "$proxy" ] || [ -n "$public_url" ] || [ "$action" = uninstall ] || wrong "--proxy needs --public-url."

bin=$DESTDIR/usr/local/bin/halotrack
unit=$DESTDIR/etc/systemd/system/halotrack.service
etc=$DESTDIR/etc/halotrack
config=$etc/halotrack.toml
state=$DESTDIR/var/lib/halotrack
caddy_main=$DESTDIR/etc/caddy/Caddyfile
caddy_own=$DESTDIR/etc/caddy/halotrack.caddy
nginx_own=$DESTDIR/etc/nginx/conf.d/halotrack.conf
import='import /etc/caddy/halotrack.caddy'

[ -n "$DESTDIR" ] || [ "$(id -u)" = 0 ] || fail "Run it as root: sudo $0 …"
if [ -z "$DESTDIR" ]; then
    [ -d /run/systemd/system ] || fail "This system does not run systemd. Start the binary by your own means: halotrack serve"
    # shellcheck disable=SC1091
    family=$(. /etc/os-release 2>/dev/null && printf '%s %s' "${ID:-}" "${ID_LIKE:-}") || family=''
    case " $family " in
        *' debian '*|*' ubuntu '*|*' fedora '*|*' rhel '*) ;;
        *) say "Note: made for Debian, Ubuntu and Fedora; this system calls itself '${family:-nothing}'." ;;
    esac
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM

# Whole or not at all: written beside the place, then renamed.
put() { # from, to, mode
    mkdir -p "$(dirname -- "$2")"
    cp -- "$1" "$2.new"
    chmod "$3" "$2.new"
    mv -f -- "$2.new" "$2"
}

fetch() {
    [ -n "$sha256" ] || wrong "--url needs --sha256: what is fetched must be what was released."
    case $url in https://*) ;; *) wrong "--url begins with https://." ;; esac
    if command -v curl >/dev/null 2>&1; then
        curl --fail --silent --show-error --location --proto '=https' --output "$work/halotrack" "$url" || fail "$url cannot be fetched."
    elif command -v wget >/dev/null 2>&1; then
        wget --quiet --https-only --output-document="$work/halotrack" "$url" || fail "$url cannot be fetched."
    else
        fail "Neither curl nor wget is here. Fetch the binary yourself and name it with --binary."
    fi
    printf '%s  %s\n' "$sha256" "$work/halotrack" | sha256sum --check --status || fail "What was fetched has another SHA-256. Nothing was changed."
    binary=$work/halotrack
}

find_binary() {
    if [ -n "$url" ]; then
        [ -z "$binary" ] || wrong "Give --binary or --url, not both."
        fetch
    elif [ -z "$binary" ]; then
        for place in "$here/target/release/halotrack" "$here/halotrack"; do
            [ ! -f "$place" ] || { binary=$place; break; }
        done
        [ -n "$binary" ] || wrong "Name the binary with --binary, or build it here first: cargo build --release"
    fi
    [ -f "$binary" ] || fail "$binary is not there."
    cp -- "$binary" "$work/try"
    chmod 755 "$work/try"
    version=$("$work/try" --version 2>/dev/null) || fail "$binary does not run on this machine. Is it built for $(uname -m)?"
    case $version in halotrack\ *) ;; *) fail "$binary is not HaloTrack." ;; esac
}

configure() {
    mkdir -p "$etc"
    if [ -f "$config" ]; then
        say "Kept     $config"
        [ -z "$public_url$listen" ] || say "         (--public-url and --listen count for a first installation; change the file instead)"
        return
    fi
    address=${listen:-127.0.0.1:8080}
    {
        say '# Every key is explained in config.default.toml of the source.'
        say 'data = "/var/lib/halotrack/data"'
        say 'master_key_file = "/var/lib/halotrack/data.key"'
        say "listen = \"$address\""
        [ -z "$public_url" ] || say "public_url = \"$public_url\""
        case $address in 127.0.0.1:*) say 'trusted_proxies = ["127.0.0.1/32", "::1/128"]' ;; esac
    } > "$work/config"
    put "$work/config" "$config" 640
    "$chown" root:halotrack "$config"
    say "Made     $config"
}

front() {
    [ -n "$proxy" ] || return 0
    host=${public_url#*://}
    host=${host%%/*}
    host=${host%%:*}
    back=$(sed -n 's/^listen = "\(.*\)"$/\1/p' "$config")
    sed -e "s/stats\.example\.com/$host/g" -e "s/127\.0\.0\.1:8080/${back:-127.0.0.1:8080}/g" "$here/deploy/halotrack.$proxy" > "$work/front"
    if [ "$proxy" = nginx ]; then
        # certbot writes into the file: what is there stays.
        if [ -f "$nginx_own" ]; then say "Kept     $nginx_own"; return; fi
        put "$work/front" "$nginx_own" 644
        say "Made     $nginx_own (for https: certbot --nginx -d $host)"
        "$systemctl" reload nginx || say "Note: nginx was not reloaded. Look at: nginx -t"
    else
        if [ -f "$caddy_own" ]; then say "Kept     $caddy_own"; return; fi
        put "$work/front" "$caddy_own" 644
        touch "$caddy_main"
        grep -qxF "$import" "$caddy_main" || printf '\n%s\n' "$import" >> "$caddy_main"
        say "Made     $caddy_own"
        "$systemctl" reload caddy || say "Note: Caddy was not reloaded. Look at: caddy validate --config /etc/caddy/Caddyfile"
    fi
}

set_up_link() {
    tries=0
    while [ "$tries" -lt 40 ]; do
        link=$("$journalctl" --unit halotrack --since "$since" --output cat --no-pager 2>/dev/null | grep -o 'https\{0,1\}://[^ ]*/setup/[^ ]*' | tail -n 1) || link=''
        [ -z "$link" ] || { say ''; say "Set it up here, within 30 minutes: $link"; return; }
        # Whoever has an owner gets no link; a look at the log says that it runs.
        ! "$journalctl" --unit halotrack --since "$since" --output cat --no-pager 2>/dev/null | grep -q ' listens on ' || [ "$tries" -lt 4 ] || return 0
        tries=$((tries + 1))
        sleep 0.5
    done
    say ''
    say "The server did not say that it runs. Look at: journalctl -u halotrack"
}

install_all() {
    find_binary
    if [ -z "$DESTDIR" ] && ! getent passwd halotrack >/dev/null; then
        nologin=$(command -v nologin || printf /usr/sbin/nologin)
        "$useradd" --system --user-group --home-dir /var/lib/halotrack --no-create-home --shell "$nologin" halotrack
        say "Made     user halotrack"
    elif [ -n "$DESTDIR" ]; then
        "$useradd" --system --user-group --home-dir /var/lib/halotrack --no-create-home halotrack || true
    fi
    mkdir -p "$state"
    chmod 700 "$state"
    "$chown" halotrack:halotrack "$state"
    if [ -f "$bin" ] && ! cmp -s -- "$binary" "$bin"; then
        put "$bin" "$bin.previous" 755
    fi
    put "$binary" "$bin" 755
    say "Placed   $bin ($version)"
    configure
    put "$here/deploy/halotrack.service" "$unit" 644
    say "Placed   $unit"
    "$systemctl" daemon-reload
    "$systemctl" enable halotrack.service >/dev/null 2>&1 || true
    if [ "$start" = yes ]; then
        since=$(date '+%Y-%m-%d %H:%M:%S')
        "$systemctl" restart halotrack.service || fail "The server did not start. Look at: journalctl -u halotrack"
    fi
    front
    [ "$start" = no ] || [ "$journalctl" = : ] || set_up_link
    say ''
    say "Commands: sudo -u halotrack halotrack --config /etc/halotrack/halotrack.toml doctor"
    say "Keep a copy of /var/lib/halotrack/data.key apart from your backups."
}

uninstall() {
    "$systemctl" disable --now halotrack.service >/dev/null 2>&1 || true
    rm -f -- "$unit" "$bin" "$bin.previous"
    "$systemctl" daemon-reload
    if [ -f "$nginx_own" ]; then
        rm -f -- "$nginx_own"
        "$systemctl" reload nginx || true
    fi
    if [ -f "$caddy_own" ]; then
        rm -f -- "$caddy_own"
        if [ -f "$caddy_main" ]; then
            { grep -vxF "$import" "$caddy_main" || true; } > "$work/Caddyfile"
            cat "$work/Caddyfile" > "$caddy_main"
        fi
        "$systemctl" reload caddy || true
    fi
    say "Removed  the binary, the unit and the snippets."
    if [ "$delete_data" = yes ]; then
        rm -rf -- "$state" "$etc"
        "$userdel" halotrack >/dev/null 2>&1 || true
        say "Deleted  $state, $etc and the user."
    else
        say "Kept     $state and $etc. --uninstall --delete-data deletes them."
    fi
}

if [ "$action" = install ]; then install_all; else uninstall; fi
