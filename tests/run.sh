#!/usr/bin/env bash
# Runs every test: those of .NET, the TypeScript client's and other Yjs servers' clients against a real server, and those of the demo page in Chromium.
# Installs what is missing: npm packages and, on Debian, Chromium, nginx, haproxy, Redis, RabbitMQ, Postgres, faketime and tmux. Needs the .NET 10 SDK and Node.js 20.19 or newer.
#   tests/run.sh                 everything; the last line is "N passed, N failed", logs and results are in artifacts/tests
#   COLLAB_LONG=1 tests/run.sh   with the long runs of the tests that have one
#   CHROMIUM=/path tests/run.sh  with another browser than /usr/bin/chromium
# What else is set in the environment (COLLAB_TRACES, COLLAB_VECTORS) reaches the tests.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

readonly configuration=Release
readonly output=$PWD/artifacts/tests
readonly typescript=clients/typescript
# Seconds after which a suite has hung.
readonly limit=$([ "${COLLAB_LONG:-}" = 1 ] && echo 7200 || echo 900)
# These come first, the quickest before the others; then whatever else there is.
readonly first=(Collab.Protocol.Tests Collab.Crdt.Tests Collab.Storage.Tests Collab.Server.Tests Collab.Host.Tests)

export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 CI=${CI:-1}
# The tests of .NET and of TypeScript run the same server.
export COLLAB_HOST_DLL=$PWD/src/Collab.Host/bin/$configuration/net10.0/Collab.Host.dll

group=
passed=0
failed=0

# Runs a command in a process group of its own; nothing of the group is left when this returns or the script is stopped.
run() {
  local code=0
  timeout --kill-after=10 "$limit" "$@" &
  group=$!
  wait "$group" || code=$?
  end_group
  return "$code"
}

end_group() {
  if [ -n "$group" ]; then kill -KILL -- "-$group" 2>/dev/null || true; fi
  group=
}
trap end_group EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# Ends all: without this step nothing can be tested.
give_up() {
  printf '%s\n' "$*" >&2
  echo "0 passed, 1 failed"
  exit 1
}

# step <what> <command...>: prepares something; what it says is shown when it fails.
step() {
  local started=$SECONDS log=$output/prepare.log
  run "${@:2}" >"$log" 2>&1 || { cat "$log"; give_up "$1: failed"; }
  printf '%-24s %44d s\n' "$1" $((SECONDS - started))
}

# The first number that an element of an XML file has for an attribute, else 0.
attribute() {
  local number
  number=$(grep -o "<$2 [^>]*" "$1" | grep -o " $3=\"[0-9]*\"" | head -n 1 | tr -dc 0-9) || true
  echo "${number:-0}"
}

# Prints how many tests passed, failed and were skipped according to a results file: .trx of .NET, JUnit's XML of the others.
count() {
  local total good bad skipped
  if [ ! -f "$1" ]; then
    echo "0 0 0"
  elif [[ $1 == *.trx ]]; then
    total=$(attribute "$1" Counters total)
    good=$(attribute "$1" Counters passed)
    skipped=$((total - $(attribute "$1" Counters executed)))
    echo "$good $((total - good - skipped)) $skipped"
  else
    total=$(attribute "$1" testsuites tests)
    bad=$(($(attribute "$1" testsuites failures) + $(attribute "$1" testsuites errors)))
    skipped=$(grep -o '<skipped' "$1" | wc -l) || true
    echo "$((total - bad - skipped)) $bad $skipped"
  fi
}

# suite <name> <results file> <command...>: runs the tests of one suite and counts them.
suite() {
  local started=$SECONDS log=$output/$1.log code=0 good bad skipped
  rm -f "$2"
  run "${@:3}" >"$log" 2>&1 || code=$?
  read -r good bad skipped < <(count "$2")
  # A suite that broke off, or in which nothing ran, has failed whatever its tests say.
  if [ "$bad" = 0 ] && { [ "$code" != 0 ] || [ "$good" = 0 ]; }; then
    bad=1
    echo "$1 ended with code $code after $good tests that passed." >>"$log"
  fi
  if [ "$bad" != 0 ]; then cat "$log"; fi
  printf '%-24s %6d passed %4d failed %4d skipped %8d s\n' "$1" "$good" "$bad" "$skipped" $((SECONDS - started))
  passed=$((passed + good))
  failed=$((failed + bad))
}

# The built test projects, the quick ones first.
test_projects() {
  local project name
  printf '%s\n' "${first[@]}"
  for project in tests/*.Tests/*.csproj; do
    name=$(basename "$project" .csproj)
    if [[ " ${first[*]} " != *" $name "* ]]; then echo "$name"; fi
  done
}

# require_program <path> <Debian package>: installs a program that the tests start.
require_program() {
  local as_root=()
  if [ -x "$1" ]; then return; fi
  if [ "$(id -u)" != 0 ]; then as_root=(sudo); fi
  if ! command -v apt-get >/dev/null || { [ "$(id -u)" != 0 ] && ! command -v sudo >/dev/null; }; then
    give_up "$1 is missing and cannot be installed from here. Install it (Debian: apt-get install $2)."
  fi
  # A web server that begins to listen when it is installed is not wanted.
  step "install $2" "${as_root[@]}" sh -c "apt-get update && RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends $2"
}

# require_packages <folder>: npm writes the file compared with at the end of an installation.
require_packages() {
  if [ "$1/package-lock.json" -nt "$1/node_modules/.package-lock.json" ]; then
    step "npm ci $1" npm ci --no-progress --prefix "$1"
  fi
}

mkdir -p "$output"
command -v dotnet >/dev/null || give_up "The .NET 10 SDK is missing: https://dotnet.microsoft.com/download"
command -v npm >/dev/null || give_up "Node.js 20.19 or newer with npm is missing: https://nodejs.org/en/download"
if [ -n "${CHROMIUM:-}" ]; then
  [ -x "$CHROMIUM" ] || give_up "CHROMIUM is $CHROMIUM, which is no program."
else
  require_program /usr/bin/chromium chromium
fi
require_program /usr/sbin/nginx nginx-light
require_program /usr/sbin/haproxy haproxy
require_program /usr/bin/redis-server redis-server
require_program /usr/sbin/rabbitmq-server rabbitmq-server
require_program /usr/bin/faketime faketime
require_program /usr/bin/tmux tmux
ls /usr/lib/postgresql/*/bin/postgres >/dev/null 2>&1 || require_program /usr/lib/postgresql/bin/postgres postgresql
require_packages tests/oracle
# Compiler servers would outlive the script.
step "build" dotnet build Collab.sln -c "$configuration" -v quiet -nologo -nodeReuse:false -p:UseSharedCompilation=false

for name in $(test_projects); do
  suite "$name" "$output/$name.trx" dotnet test "tests/$name/bin/$configuration/net10.0/$name.dll" \
    --logger "trx;LogFileName=$name.trx" --results-directory "$output"
done
suite client "$typescript/packages/client/test-results/junit.xml" npm test --prefix "$typescript"
suite gateways "$typescript/gateways/test-results/junit.xml" npm run gateways --prefix "$typescript"
suite e2e "$typescript/e2e/test-results/junit.xml" npm run e2e --prefix "$typescript"

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
