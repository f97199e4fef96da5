#!/usr/bin/env bash
# PostgreSQL with two synchronous standbys (ANY 1) on loopback, one-row inserts by pgbench: the peer that
# bench/raft.ts is compared with in the same run. Needs Debian's postgresql and root (it runs as postgres).
#
#     bench/postgres-standbys.sh [seconds]
set -euo pipefail
seconds=${1:-10}
bin=$(ls -d /usr/lib/postgresql/*/bin | tail -n 1)
root=$(mktemp -d /tmp/shardforge-postgres-XXXX)
chown postgres "$root"
as() { runuser -u postgres -- "$@"; }
stop() {
  for i in 1 2 3; do as "$bin/pg_ctl" -D "$root/$i" -m immediate stop >/dev/null 2>&1 || true; done
  rm -rf "$root"
}
trap stop EXIT
as "$bin/initdb" -D "$root/1" --auth=trust >/dev/null
cat >> "$root/1/postgresql.conf" <<CONF
port = 25441
unix_socket_directories = '$root'
shared_buffers = 512MB
synchronous_standby_names = 'ANY 1 (s2, s3)'
CONF
as "$bin/pg_ctl" -D "$root/1" -l "$root/1.log" -o '-c synchronous_standby_names=' -w start >/dev/null
for i in 2 3; do
  as "$bin/pg_basebackup" -h "$root" -p 25441 -D "$root/$i" -R -X stream
  sed -i "s/port = 25441/port = $((25440 + i))/" "$root/$i/postgresql.conf"
  sed -i "s/^primary_conninfo = '/&application_name=s$i /" "$root/$i/postgresql.auto.conf"
  as "$bin/pg_ctl" -D "$root/$i" -l "$root/$i.log" -w start >/dev/null
done
# Not a restart, which would keep the option of the first start.
as "$bin/pg_ctl" -D "$root/1" -w stop >/dev/null
as "$bin/pg_ctl" -D "$root/1" -l "$root/1.log" -w start >/dev/null
sleep 3
as "$bin/psql" -h "$root" -p 25441 -qAtc "select application_name, sync_state from pg_stat_replication" postgres
as "$bin/psql" -h "$root" -p 25441 -qc \
  'create table bench (id bigserial primary key, name text not null, amount numeric)' postgres
cat > "$root/insert.sql" <<'SQL'
insert into bench (name, amount) values ('a name of some length, as they are in tables of customers and orders', 1);
SQL
# A process of PostgreSQL ends with its connection: its share is read while it runs.
cpu() {
  cat $(pgrep -u postgres -f "$root|postgres: " | sed 's|.*|/proc/&/stat|') 2>/dev/null |
    awk '{ sum += $14 + $15 } END { print sum / 100 }'
}
for clients in 1 64; do
  as pgbench -h "$root" -p 25441 -n -M prepared -f "$root/insert.sql" -c "$clients" -j 2 \
    -T "$seconds" postgres > "$root/out" 2>&1 &
  sleep 1
  before=$(cpu)
  sleep $((seconds - 2))
  after=$(cpu)
  wait
  tps=$(sed -n 's/^tps = \([0-9.]*\).*/\1/p' "$root/out")
  latency=$(sed -n 's/^latency average = \([0-9.]*\).*/\1/p' "$root/out")
  awk -v c="$clients" -v t="$tps" -v l="$latency" -v cpu="$(awk "BEGIN { print $after - $before }")" \
    -v s="$((seconds - 2))" \
    'BEGIN { printf "%d clients: %d inserts a second, mean %s ms, %d per server CPU second\n", c, t, l, t * s / cpu }'
done
