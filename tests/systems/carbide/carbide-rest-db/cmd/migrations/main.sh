# size: 28M
case "$1" in
--version) echo "$VERSION" ;;
*) echo "migrating $DB_NAME on $DB_HOST:$DB_PORT" ;;
esac
