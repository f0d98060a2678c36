#!/bin/sh
# A Ray of this machine's own, for jobs from here or, through SSH, from a laptop. See docs/deploy.md.
#
#   cluster/deploy/workstation.sh start [OPTIONS]   Ray's head in the background; OPTIONS go to `ray start`
#   cluster/deploy/workstation.sh run PLAN [...]    the plan as a job, with its progress; [...] go to `levelfield run`
#   cluster/deploy/workstation.sh status            how far the jobs are
#   cluster/deploy/workstation.sh stop              end this Ray, and no other
#
# RAY_STATE_DIR   where token, log and process number are kept (default ~/.levelfield-ray)
# RAY_PORT, RAY_DASHBOARD_PORT, RAY_CLIENT_PORT, RAY_AGENT_PORT   instead of 6379, 8265, 10001, 52365
set -eu
cd "$(dirname "$0")/../.."
STATE=${RAY_STATE_DIR:-$HOME/.levelfield-ray}
DASHBOARD_PORT=${RAY_DASHBOARD_PORT:-8265}
AGENT_PORT=${RAY_AGENT_PORT:-52365}
DASHBOARD=http://127.0.0.1:$DASHBOARD_PORT
START_S=120

[ -x .venv/bin/ray ] || make setup
PATH="$PWD/.venv/bin:$PATH"
# Whoever has no token can neither join nor submit; jobs are programs that anybody with the token may run.
export PATH RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH="$STATE/token"
unset RAY_ADDRESS || true

# Whatever it says: without a token it refuses.
answers() {
    python -c 'import http.client, sys
connection = http.client.HTTPConnection("127.0.0.1", int(sys.argv[1]), timeout=5)
connection.request("GET", "/")
connection.getresponse()' "$1" 2>/dev/null
}

# After a restart of the machine the number may be another program's.
running() { [ -s "$STATE/pid" ] && tr '\0' ' ' <"/proc/$(cat "$STATE/pid")/cmdline" 2>/dev/null | grep -q 'ray start'; }

start() {
    if running; then echo "Ray is running already: $DASHBOARD"; return; fi
    (umask 077 && mkdir -p "$STATE")
    if [ ! -s "$STATE/token" ]; then
        (umask 077 && python -c 'import secrets; print(secrets.token_hex(32), end="")' >"$STATE/token")
    fi
    # Ray's own ports are open on all interfaces whatever it is told: the token guards them, see docs/deploy.md.
    setsid ray start --head --block --disable-usage-stats \
        --port="${RAY_PORT:-6379}" --ray-client-server-port="${RAY_CLIENT_PORT:-10001}" \
        --dashboard-host=127.0.0.1 --dashboard-port="$DASHBOARD_PORT" \
        --dashboard-agent-listen-port="$AGENT_PORT" \
        --min-worker-port=0 --max-worker-port=0 "$@" </dev/null >"$STATE/log" 2>&1 &
    echo $! >"$STATE/pid"
    waited=0
    until answers "$DASHBOARD_PORT" && answers "$AGENT_PORT"; do
        waited=$((waited + 1))
        if ! running || [ "$waited" -ge "$START_S" ]; then
            echo "Ray did not start. The end of $STATE/log:" >&2
            tail -n 20 "$STATE/log" >&2
            stop
            exit 1
        fi
        sleep 1
    done
    echo "Ray is running: $DASHBOARD (token in $STATE/token)"
}

run() {
    plan=${1:?which plan? for example plans/quick.yaml}
    shift
    ray job submit --address "$DASHBOARD" --working-dir . -- python -m cluster "$plan" "$@"
}

stop() {
    if running; then
        kill "$(cat "$STATE/pid")"
        waited=0
        while running && [ "$waited" -lt 30 ]; do
            waited=$((waited + 1))
            sleep 1
        done
        if running; then kill -9 -"$(cat "$STATE/pid")"; fi
    fi
    rm -f "$STATE/pid"
    echo "Ray is stopped."
}

case ${1:-} in
start) shift; start "$@" ;;
run) shift; run "$@" ;;
status) python -m cluster status "$DASHBOARD" ;;
stop) stop ;;
*) sed -n '2,10s/^# \{0,1\}//p' "$0"; exit 2 ;;
esac
