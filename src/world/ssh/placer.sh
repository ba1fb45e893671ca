# Puts what comes on standard input at a path, whole or not at all; or says what is there.
mode=$1 path=$2 bytes=$3 wanted=$4 owner=$5
umask 077
say() { printf '\nrackwright-file %s\n' "$*"; }
if [ "$mode" = look ]; then
    [ -d "$path" ] && say folder && exit 0
    [ -e "$path" ] || { say absent; exit 0; }
    digest=$( (sha256sum <"$path" || shasum -a 256 <"$path") | cut -d' ' -f1)
    say file "$(stat -L -c '%a %U %G' "$path")" "${digest:-unreadable}"
    exit 0
fi
part=$path.rackwright-$$
trap 'rm -f "$part"' EXIT
cat >"$part" || exit 1
size=$(wc -c <"$part")
[ "$((size))" = "$bytes" ] || { echo "only $((size)) of $bytes bytes arrived" >&2; exit 1; }
[ -z "$owner" ] || chown "$owner" "$part" || exit 1
chmod "$wanted" "$part" || exit 1
mv -f "$part" "$path" || exit 1
say written
