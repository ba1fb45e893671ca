# Runs one command once, and keeps its output and its end in a folder that is named by the effect: whoever asks again with
# the same name waits for it, or is told what came of it. POSIX sh; `head -c` and `ls -n` are everywhere.
mode=$1 effect=$2 limit=$3 bytes=$4 command=$5
mark=rackwright-answer end=rackwright-end
# A command that has written so much is stopped: it must not fill a disk.
flood=67108864
umask 077
uid=$(id -u)
kept="/var/lib/rackwright/effects /var/tmp/rackwright-$uid"

say() { printf '\n%s %s %s\n' "$mark" "$effect" "$*"; }
nap() { sleep 0.1 2>/dev/null || sleep 1; }
# Nobody else may have made it: the second is in a folder that everybody writes to.
owned() {
    [ -d "$1" ] && [ ! -h "$1" ] || return 1
    set -- $(ls -ldn "$1")
    [ "$3" = "$uid" ]
}
# When a process began; nothing for one that has ended.
began() {
    stat=$(cat "/proc/$1/stat" 2>/dev/null) || return 0
    set -- ${stat##*) }
    [ "$1" = Z ] || printf '%s' "${20}"
}
boot() { cat /proc/sys/kernel/random/boot_id 2>/dev/null; }
alive() { kill -0 "$1" 2>/dev/null && [ "$(began "$1")" = "$2" ] && [ "$(boot)" = "$3" ]; }

size() { size=$(wc -c <"$1"); printf %s "$((size))"; }

begin() {
    (
        trap '' HUP
        exec </dev/null >/dev/null 2>&1
        group=
        command -v setsid && group=setsid
        printf '%s' "$input" | $group /bin/sh -c "$command" >"$dir/stdout" 2>"$dir/stderr" &
        child=$!
        (
            seconds=0 ends=
            while [ -z "$ends" ]; do
                sleep 1
                seconds=$((seconds + 1))
                [ "$seconds" -lt "$limit" ] || ends=late
                [ "$(($(size "$dir/stdout") + $(size "$dir/stderr")))" -le "$flood" ] || ends=flood
            done
            printf '%s\n' "$ends" >"$dir/stopped"
            kill -TERM "-$child" || kill -TERM "$child"
            sleep 5
            kill -KILL "-$child" || kill -KILL "$child"
        ) &
        watch=$!
        wait "$child"
        status=$?
        kill "$watch"
        printf '%s\n' "$status" >"$dir/status.new" && mv "$dir/status.new" "$dir/status"
    ) &
    printf '%s %s %s\n' "$!" "$(began $!)" "$(boot)" >"$dir/keeper.new" && mv "$dir/keeper.new" "$dir/keeper"
}

base=
for place in $kept "/tmp/rackwright-$uid"; do
    owned "$place" && [ -d "$place/$effect" ] && base=$place && break
done
if [ -z "$base" ] && [ "$mode" = find ]; then
    # That there is nothing says something only where it would have outlived a restart.
    for place in $kept; do
        owned "$place" && [ -w "$place" ] && say never && exit 0
    done
    [ -w /var/lib ] || [ -w /var/tmp ] || { say unknown; exit 0; }
    say never
    exit 0
fi
if [ -z "$base" ]; then
    input=$(cat; printf x)
    input=${input%x}
    case $input in
    *"$end") input=${input%"$end"} ;;
    *) say incomplete; exit 0 ;;
    esac
    for place in $kept "/tmp/rackwright-$uid"; do
        mkdir -p "$place" 2>/dev/null && owned "$place" && [ -w "$place" ] && base=$place && break
    done
    [ -n "$base" ] || { say refused; exit 0; }
    find "$base" -mindepth 1 -maxdepth 1 -type d -mtime +30 -exec rm -rf {} + 2>/dev/null
    dir=$base/$effect
    mkdir "$dir" 2>/dev/null && begin
fi
dir=$base/$effect
tries=0
while [ ! -e "$dir/status" ]; do
    if [ -e "$dir/keeper" ]; then
        read -r pid since boot <"$dir/keeper"
        alive "$pid" "$since" "$boot" || [ -e "$dir/status" ] || { say lost; exit 0; }
    else
        tries=$((tries + 1))
        [ "$tries" -le 50 ] || { say lost; exit 0; }
    fi
    nap
done
stopped=no
[ -e "$dir/stopped" ] && stopped=$(cat "$dir/stopped")
touch "$dir/stdout" "$dir/stderr"
out=$(size "$dir/stdout") err=$(size "$dir/stderr") cut=no
[ "$out" -le "$bytes" ] || { out=$bytes; cut=yes; }
[ "$err" -le "$bytes" ] || { err=$bytes; cut=yes; }
say done "$(cat "$dir/status")" "$stopped" "$cut" "$out" "$err"
head -c "$out" "$dir/stdout"
head -c "$err" "$dir/stderr"
