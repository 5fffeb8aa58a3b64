# shellcheck shell=bash
# What script/bootstrap, script/demo and script/test share: finding a server, building the extension out of a copy of
# the source, and running a private server that has it.
#
# PostgreSQL finds its files relative to its executables. Copies of the executables under another root therefore look
# for lib and share under that root; there, links lead to the system's files and `make install DESTDIR=` adds the
# extension. So nothing of the system is written, an ordinary user needs no rights, and the extension under test is
# surely the one just built.
#
# shellcheck disable=SC2034 # the scripts read what is set here

set -euo pipefail

SOURCE=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# A fixed place, not TMPDIR: the path of a socket may have 107 bytes, and root's TMPDIR may be closed to other users
TEMP_DIR=${SUPPORT_EXT_TMP:-/tmp}

# Print lines for the person at the terminal and give up
die() {
    printf '%s\n' "$@" >&2
    exit 1
}

# Print the comment at the head of the script that runs: what it is for, and its arguments
show_help() {
    sed -n -e '1d' -e '/^#/!q' -e 's/^# \{0,1\}//p' "$0"
}

# Refuse what the script does not know, and show what it does
refuse_argument() {
    printf '%s: "%s" is not known\n\n' "$0" "$1" >&2
    show_help >&2
    exit 1
}

# Does one of the arguments ask for help?
asks_for_help() {
    local argument
    for argument; do
        case $argument in -h | --help) return 0 ;; esac
    done
    return 1
}

# Call function $2 every $1 seconds, to say that something goes on, until stop_clock. The clock has a process group of its
# own, so that its sleep ends with it and holds no pipe open.
start_clock() {
    set -m
    {
        while sleep "$1"; do
            "$2"
        done
    } &
    set +m
    CLOCK=$!
}

stop_clock() {
    [[ ${CLOCK:-} ]] || return 0
    kill -- "-$CLOCK" 2>/dev/null || true
    wait "$CLOCK" 2>/dev/null || true
    CLOCK=''
}

# Print a line that begins with how long the script has run
say_at() {
    if ((SECONDS < 60)); then
        printf '%15d s  %s\n' "$SECONDS" "$1"
    else
        printf '%12d:%02d min  %s\n' $((SECONDS / 60)) $((SECONDS % 60)) "$1"
    fi
}

# Print the seconds since $1, a time in nanoseconds
elapsed() {
    local tenths=$((($(date +%s%N) - $1) / 100000000))
    printf '%d.%d s' $((tenths / 10)) $((tenths % 10))
}

# Does this pg_config belong to a server that extensions can be built for?
is_complete() {
    [[ -x $1 && -x $("$1" --bindir)/postgres && -f $("$1" --includedir-server)/postgres.h && -f $("$1" --pgxs) ]]
}

# Print the pg_config of the newest server that has its headers
find_pg_config() {
    local candidate
    for candidate in /usr/lib/postgresql/{19,18,17,16,15}/bin/pg_config "$(command -v pg_config || true)"; do
        if is_complete "$candidate"; then
            echo "$candidate"
            return
        fi
    done
    return 1
}

# Choose the server: $PG_CONFIG if set, else the newest one
choose_server() {
    PG_CONFIG=${PG_CONFIG:-$(find_pg_config)} || die 'no PostgreSQL server with headers found (PG_CONFIG names one)'
    PG_CONFIG=$(realpath "$(command -v "$PG_CONFIG" || echo "$PG_CONFIG")")
    is_complete "$PG_CONFIG" || die "no server with headers belongs to $PG_CONFIG"
    SERVER_VERSION=$("$PG_CONFIG" --version)
    PGXS_DIR=$(realpath "$(dirname "$("$PG_CONFIG" --pgxs)")/../..")
    [[ $SERVER_VERSION =~ ^[^0-9]*1[5-9] ]] || die "support_ext needs PostgreSQL 15 to 19, this is $SERVER_VERSION"
}

# Choose who runs the server. It refuses root: with sudo it runs as who called, and all of it is his; root himself leaves
# it to the user that comes with the server's package. PERSON is who is to work with it.
choose_user() {
    RUN_AS=()
    OWNER=$(id -un) PERSON=$(id -un)
    ((EUID == 0)) || return 0
    if is_sudo_by_a_user; then
        OWNER=$SUDO_USER PERSON=$SUDO_USER
    else
        OWNER=postgres
    fi
    id "$OWNER" >/dev/null 2>&1 || die 'a server does not run as root: be an ordinary user, or make a user postgres'
    RUN_AS=(setpriv --reuid="$OWNER" --regid="$(id -gn "$OWNER")" --init-groups)
}

# Did an ordinary user come here by sudo? The variables may be left over from outside a chroot, where he is.
is_sudo_by_a_user() {
    [[ ${SUDO_USER:-} && ${SUDO_UID:-0} != 0 && $(id -u "$SUDO_USER" 2>/dev/null) == "$SUDO_UID" ]]
}

# Run a program, not a shell function, as the owner of the server; descriptor 3 is the scripts' own terminal, which no
# server may hold open
as_owner() {
    "${RUN_AS[@]}" "$@" 3>&-
}

# Keep the settings of the person's own servers, tools and locale out of what runs here
clean_environment() {
    local name
    for name in $(compgen -e PG) $(compgen -e LC_) LANGUAGE MAKEFLAGS MFLAGS MAKELEVEL PERL5LIB PYTHONPATH; do
        [[ $name == PG_CONFIG ]] || unset "$name"
    done
    export LANG=C.UTF-8 TZ=UTC HOME="$1" TMPDIR="$1/tmp" PATH="$1/bin:/usr/bin:/bin:$PATH"
    as_owner mkdir -p "$TMPDIR"
}

# Print the names of the source's files, each with a NUL: in a clone what git tracks or would track
source_files() {
    local file
    cd "$SOURCE"
    if [[ ! -e .git ]]; then
        find . -type f -print0
        return
    fi
    git -c safe.directory='*' ls-files -z --cached --others --exclude-standard --deduplicate |
        while IFS= read -r -d '' file; do
            [[ ! -e $file ]] || printf '%s\0' "$file"
        done
}

# Copy the source to directory $1, so that building leaves nothing in the tree and the owner need not read it there
copy_source() {
    as_owner mkdir -p "$1"
    (source_files) | tar --create --directory="$SOURCE" --null --files-from=- | as_owner tar --extract --directory="$1"
}

# Run make in the copied source $1
make_in() {
    as_owner make --no-print-directory --directory="$1" PG_CONFIG="$PG_CONFIG" "${@:2}"
}

# Make the root $1 of a private server without the extension, and a link $2 to its programs
copy_server() {
    local bin lib share
    bin=$("$PG_CONFIG" --bindir)
    lib=$("$PG_CONFIG" --pkglibdir)
    share=$("$PG_CONFIG" --sharedir)
    as_owner mkdir -p "$1$bin" "$1$lib" "$1$share"
    as_owner cp --archive "$bin/." "$1$bin"
    as_owner cp --archive --symbolic-link "$lib/." "$1$lib"
    as_owner cp --archive --symbolic-link "$share/." "$1$share"
    # An installed support_ext must not lend its files to the one built here
    rm -rf "$1$lib"/support_ext.* "$1$lib"/bitcode/support_ext* "$1$share"/extension/support_ext[.-]*
    as_owner ln -s "$1$bin" "$2"
}

# Create a cluster in $1 with superuser $2, open only through a socket in directory $3; further arguments are settings
create_cluster() {
    as_owner initdb --pgdata="$1" --username="$2" --auth=trust --encoding=UTF8 --locale=C.UTF-8 --no-sync
    printf '%s\n' >>"$1/postgresql.conf" \
        "listen_addresses = ''" \
        "unix_socket_directories = '$3'" \
        "unix_socket_permissions = 0700" \
        "fsync = off" \
        "${@:4}"
}

# Start the cluster in $1, logging to file $2
start_server() {
    as_owner pg_ctl --silent --wait --pgdata="$1" --log="$2" start || {
        tail -n 20 "$2"
        return 1
    }
}

# Stop every server whose cluster lies under directory $1, and keep quiet about one that died. Nobody else need have pg_ctl
# in his PATH.
stop_servers() {
    local pid_file
    find "$1" -name postmaster.pid -print0 2>/dev/null |
        while IFS= read -r -d '' pid_file; do
            PATH="$1/bin:$PATH" as_owner pg_ctl --silent --pgdata="${pid_file%/*}" --mode=immediate stop >/dev/null 2>&1 || true
        done
}

# Remove directory $1, in which an interrupted test may still be tidying up
remove_directory() {
    rm -rf "$1" 2>/dev/null || { sleep 1 && rm -rf "$1"; }
}
