#!/usr/bin/env bash
# Measures Collab beside its peers: builds everything, runs the servers in turn and prints Markdown tables.
#   bench/run.sh                            all scenarios, all servers
#   bench/run.sh room collab hocuspocus     only these (scenarios: room rooms idle join kill; servers: collab hocuspocus y-websocket)
#   bench/run.sh --repeat 3 --seconds 10    medians of three runs of ten counted seconds
#   bench/run.sh room --writers 10          only ten of the hot room's hundred clients write
#   bench/run.sh idle --connections 10000   so many idle connections
#   bench/run.sh room collab-y-websocket y-websocket collab-hocuspocus hocuspocus    the gateways beside whose clients they serve
#   bench/run.sh rooms room collab collab-events   what a webhook costs
#   bench/run.sh storm large                1,000 join a document of 1 MB at once, 150 one of 20 MB
#   bench/run.sh channels                   channels beside socket.io and a bare hub (see README for what can be named)
#   bench/run.sh nodes                      one node, and two with Redis between them (Debian's redis-server and postgresql)
#   bench/run.sh check                      applies the generated updates with yjs
set -euo pipefail
cd "$(dirname "$0")"
output=$PWD/../artifacts/bench
build=(dotnet publish -c Release -nologo -v quiet -m:1 -nodeReuse:false)

export COLLAB_PEERS=$PWD/peers COLLAB_HOST=$output/host/Collab.Host.dll
export COLLAB_BARE_HUB=$output/barehub/Collab.BareHub.dll
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1

{
  "${build[@]}" Collab.Load -o "$output/load"
  # The host is only needed when it runs: named, or nothing but peers left out.
  case " $* " in
    *" collab "* | *" collab-"*) need_host=1 ;;
    *" hocuspocus "* | *" y-websocket "* | *" check "*) need_host=0 ;;
    *) need_host=1 ;;
  esac
  if [ "$need_host" = 1 ]; then "${build[@]}" ../src/Collab.Host -o "$output/host"; fi
  if [ "${1:-}" = channels ]; then "${build[@]}" Collab.BareHub -o "$output/barehub"; fi
  if [ ! -d peers/node_modules ] || [ peers/package-lock.json -nt peers/node_modules/.package-lock.json ]; then
    (cd peers && npm ci --no-audit --no-fund)
  fi
} >&2

if [ "${1:-}" = check ]; then
  dotnet "$output/load/Collab.Load.dll" updates | node peers/check-updates.mjs
  exit
fi

ulimit -n "$(ulimit -Hn)"
# The server has core 0, the generator core 1.
exec taskset -c 1 dotnet "$output/load/Collab.Load.dll" "$@"
