# The stand-ins of the other agencies, beside gateway and mail server, for conf/demo/serve, which reads this. Each is a process of its
# own, tests/agencies/PROGRAM, with $dir/PROGRAM.pid; its page is at $systems_port and those after it, its door at the next ones.

programs=(labour fines border card-bureau)
declare -A titles=([labour]="labour agency" [fines]="fines system" [border]="border" [card-bureau]="card bureau")
# Of those behind X-Road: the port that the plugin serves, and whom it asks.
declare -A ports=([labour]=labour [fines]=penalty [border]=border)
declare -A providers=([labour]=TW/GOV/MOL/labour [fines]=TW/GOV/NIA/fines [border]=TW/GOV/NIA/border)
clamd_socket=/run/clamav/clamd.ctl
export SSHD=${SSHD:-/usr/sbin/sshd}
plugins=() # that speak with what start_systems has found to be there

page_of() { echo "http://127.0.0.1:$((systems_port + $1))/"; }
door_of() { echo $((systems_port + ${#programs[@]} + $1)); }
is_left_out() { [ "$1" = card-bureau ] && [ ! -x "$SSHD" ]; }

# launch PROGRAM ARGUMENT...: tests/agencies/PROGRAM, unless it runs
launch() {
    alive "$dir/$1.pid" && return
    setsid /usr/bin/python3 "tests/agencies/$1" "${@:2}" >"$dir/logs/$1.log" 2>&1 </dev/null &
    echo $! >"$dir/$1.pid"
}

# launch_system NUMBER PROGRAM
launch_system() {
    local page=$((systems_port + $1)) door
    door=$(door_of "$1")
    if [ "$2" = card-bureau ]; then
        launch "$2" --folder "$dir/bureau" --port "$page" --ssh-port "$door"
    else
        launch "$2" --port "$page" --tls-port "$door" --pki "$dir/pki" --books "$dir/$2.json"
    fi
}

stop_systems() {
    local name
    for name in "${programs[@]}"; do end "$dir/$name.pid" TERM; done
}

# Certificates for trials, which are valid for 30 days.
make_certificates() {
    [ -n "$(find "$dir/pki/client.pem" -mtime -20 2>/dev/null)" ] && return
    stop_systems
    rm -rf "$dir/pki"
    (cd tests/agencies && /usr/bin/python3 -Bc "import pki; pki.make('$dir/pki')") || die "no certificates could be made in $dir/pki"
    [ "$(id -u)" != 0 ] || chown www-data "$dir/pki/client.pem"
}

# Does a clamd with signatures answer, which says their number and day after its own version?
has_clamd() {
    /usr/bin/python3 - "$clamd_socket" 2>/dev/null <<'PYTHON'
import socket, sys
with socket.socket(socket.AF_UNIX) as s:
    s.settimeout(2)
    s.connect(sys.argv[1])
    s.sendall(b"nVERSION\n")
    sys.exit(s.recv(200).count(b"/") < 2)
PYTHON
}

start_systems() {
    local i name
    make_certificates
    for i in "${!programs[@]}"; do
        is_left_out "${programs[i]}" || launch_system "$i" "${programs[i]}"
    done
    for i in "${!programs[@]}"; do
        name=${programs[i]}
        is_left_out "$name" && continue
        until_answers "$(page_of "$i")" "$dir/$name.pid" "$dir/logs/$name.log"
        plugins+=("${name#card-}")
    done
    ! has_clamd || plugins+=(virus)
}

# The directives of their plugins; what all of the demo's have stands between @ signs.
plugins_of_systems() {
    local i name text
    for i in "${!programs[@]}"; do
        name=${programs[i]}
        is_left_out "$name" && continue
        text=$(<"conf/demo/$([ "$name" = card-bureau ] && echo bureau || echo xroad).conf.in")
        for pair in "NAME=$name" "DOOR=$(door_of "$i")" "OF_PORT=${ports[$name]:-}" "PROVIDER=${providers[$name]:-}" \
            "USER=$([ "$(id -u)" = 0 ] && echo nobody || id -un)" "HOST_KEY=$(key_of_bureau)"; do
            text=${text//"@${pair%%=*}@"/"${pair#*=}"}
        done
        printf '%s\n\n' "$text"
    done
    [[ " ${plugins[*]} " != *" virus "* ]] ||
        printf 'FwPermitPlugin       virus scan "@LIB@/plugins/scan_clamav.so"\nFwPermitPluginOption virus socket %s\n' "$clamd_socket"
}

key_of_bureau() { [ ! -e "$dir/bureau" ] || ssh-keygen -lf "$dir/bureau/ssh/host_key.pub" | cut -d' ' -f2; }

tell() { printf '%-22s %s\n' "$1:" "$2"; }

tell_systems() {
    local i
    for i in "${!programs[@]}"; do
        tell "the ${titles[${programs[i]}]}" "$(is_left_out "${programs[i]}" &&
            echo "left out, as there is no sshd: apt install openssh-server" || page_of "$i")"
    done
    tell "uploads are scanned" "$([[ " ${plugins[*]} " = *" virus "* ]] && echo "by the clamd at $clamd_socket" ||
        echo "no, as no clamd with signatures answers at $clamd_socket")"
}
