case "$1" in
--version) echo "$NAME $VERSION" ;;
--compiled) echo "$COMPILED" ;;
*) echo "$NAME would listen on 8080" ;;
esac
