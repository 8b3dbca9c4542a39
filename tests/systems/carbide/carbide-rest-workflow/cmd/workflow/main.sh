# size: 23M
PORT=9360
case "$1" in
--version) echo "$VERSION" ;;
health) wget -q -O - "http://127.0.0.1:$PORT/health" ;;
*)
    trap 'exit 0' TERM INT
    mkdir -p /tmp/www && echo ok > /tmp/www/health
    httpd -f -p "$PORT" -h /tmp/www &
    wait ;;
esac
