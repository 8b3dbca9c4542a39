#!/bin/sh
# kiisrv: finds controllers by their local names, and builds firmware in siblings of its own container.
# What it gives siblings as a volume is a path on the HOST: HOST_TMP_CONFIG and HOST_TMP_BUILDS, else below its folder.
port=3001
config=${TMP_CONFIG:-$PWD/tmp_config}
builds=${TMP_BUILDS:-$PWD/tmp_builds}
host_config=${HOST_TMP_CONFIG:-$config}
host_builds=${HOST_TMP_BUILDS:-$builds}

answer() {
    read -r _ path _
    while read -r line && [ "$line" != "$(printf '\r')" ]; do :; done
    case $path in
        /stats) say 'up' ;;
        /versions) say "$(docker images --format '{{.Repository}}' --filter 'reference=kiisrv-controller-*' | sort -u)" ;;
        /layouts) say "$(ls "${LAYOUTS:-/srv/layouts}")" ;;
        /build/*)
            echo "layout of ${path#/build/}" > "$config/layout"
            say "$(docker run --rm -v "$host_config:/config:ro" -v "$host_builds:/builds" "kiisrv-controller-${path#/build/}" 2>&1
                   cat "$builds/firmware")" ;;
        *) say 'no such page' '404 Not Found' ;;
    esac
}

say() {
    printf 'HTTP/1.0 %s\r\nContent-Type: text/plain\r\n\r\n%s\n' "${2:-200 OK}" "$1"
}

case ${1:-serve} in
    answer) answer ;;
    serve)
        [ -e .git ] || git init -q . 2>/dev/null || true
        mkdir -p "$config" "$builds"
        trap 'kill $!; exit 0' TERM INT
        nc -ll -p "$port" -e "$0" answer & wait ;;
esac
