//! The servers' configurations.

use super::place::{EtcdMember, Place, REGIONS};
use crate::model::Span;
use std::path::Path;

pub fn patroni(place: &Place, region: &str, bin: &Path) -> Option<String> {
    let (address, rest, sql) = place.node(region)?;
    let etcd = place.etcd().iter().map(|m| format!("\"{}\"", m.client)).collect::<Vec<_>>().join(", ");
    let (data, bin) = (place.data(region).display().to_string(), bin.display());
    // A socket in the data directory would make pg_rewind fail.
    let sockets = place.path(region).display().to_string();
    let net = if place.wired { "198.18.0.0/15" } else { "127.0.0.0/8" };
    let pass = place.path(region).join("pgpass").display().to_string();
    Some(format!(
        r#"scope: orders
namespace: /service/
name: {region}
restapi: {{ listen: "{address}:{rest}", connect_address: "{address}:{rest}" }}
etcd3: {{ hosts: [{etcd}] }}
bootstrap:
  dcs:
    ttl: 20
    loop_wait: 1
    retry_timeout: 3
    maximum_lag_on_failover: 1048576
    primary_start_timeout: 0
    synchronous_mode: true
    postgresql:
      use_pg_rewind: true
      use_slots: true
      parameters:
        max_connections: 60
        wal_log_hints: "on"
        wal_keep_size: 256MB
        wal_sender_timeout: 5s
        wal_receiver_timeout: 5s
        wal_receiver_status_interval: 1s
        wal_retrieve_retry_interval: 500ms
  initdb: [{{ encoding: UTF8 }}, data-checksums, {{ auth: trust }}]
postgresql:
  listen: "{address}:{sql}"
  connect_address: "{address}:{sql}"
  data_dir: "{data}"
  bin_dir: "{bin}"
  pgpass: "{pass}"
  remove_data_directory_on_rewind_failure: true
  authentication:
    superuser: {{ username: postgres, password: lab }}
    replication: {{ username: replicator, password: lab }}
    rewind: {{ username: postgres, password: lab }}
  parameters:
    unix_socket_directories: "{sockets}"
    shared_buffers: 32MB
  pg_hba:
    - local all all trust
    - host all bpci {net} scram-sha-256
    - host replication all {net} trust
    - host all all {net} trust
"#
    ))
}

pub fn haproxy(place: &Place) -> String {
    let mut servers = String::new();
    for region in REGIONS {
        if let Some((address, rest, sql)) = place.node(region) {
            servers.push_str(&format!("  server {region} {address}:{sql} check port {rest}\n"));
        }
    }
    format!(
        "global
  stats socket ipv4@{api} level admin
  maxconn 2000
defaults
  mode tcp
  retries 0
  timeout connect 1s
  timeout client 1h
  timeout server 1h
  timeout check 500ms
listen primary
  bind {entry}
  option httpchk
  http-check send meth OPTIONS uri /primary
  http-check expect status 200
  default-server inter 300ms fastinter 100ms downinter 100ms fall 2 rise 1 on-marked-down shutdown-sessions
{servers}",
        api = place.runtime_api(),
        entry = place.write_entry(),
    )
}

/// The endpoints of etcd, each with the region that it is in, or in none.
fn endpoints(place: &Place) -> String {
    let endpoint = |m: EtcdMember| match REGIONS.contains(&m.host.as_str()) {
        true => format!("{{ url: \"http://{}\", region: {} }}", m.client, m.host),
        false => format!("{{ url: \"http://{}\", outside: true }}", m.client),
    };
    place.etcd().into_iter().map(endpoint).collect::<Vec<_>>().join(", ")
}

/// The estate as bpci reads it, fence included.
pub fn estate(place: &Place, program: &Path) -> String {
    let dir = place.dir.display();
    let program = program.display();
    let mut regions = String::new();
    let mut members = String::new();
    for (i, region) in REGIONS.iter().enumerate() {
        let n = i + 1;
        regions.push_str(&format!(
            "    region-{n}: {{ region_id: {region}, capacity_percentage: 100, failover_priority: {n} }}\n"
        ));
        if let Some((address, rest, _)) = place.node(region) {
            members.push_str(&format!("        {region}: \"http://{address}:{rest}\"\n"));
        }
    }
    format!(
        r#"# The lab's estate. Figures suit practice: quick probes, no delay before an automatic response.
name: {name}
test_estate: true
business_continuity:
  sla_targets: {{ uptime_percentage: 99.9, rto_minutes: 15, rpo_minutes: 5 }}
  regions:
{regions}  disaster_scenarios:
    - {{ type: region_outage, severity: critical, automated_response: true, recovery_strategy: immediate_failover }}
    - {{ type: node_failure, severity: high, automated_response: true, recovery_strategy: immediate_failover }}
disaster_recovery:
  detection: {{ health_check_interval: 100ms, failure_threshold: 3, disaster_classification_timeout: 10s, automated_response_delay: 0s }}
  recovery_strategies:
    immediate_failover: {{ target_rto: 15min, target_rpo: 5min, automation_level: full }}
automation: {{ settle: 2s, cooldown: 1s, fence_proof_not_required: true, drilled: false }}
services:
  orders-db:
    tier: 1
    rto: 15min
    rpo: 30s
    patroni:
      scope: orders
      members:
{members}      etcd: [{etcd}]
      postgres: {{ user: bpci, password_file: "{dir}/bpci.password", dbname: postgres }}
    fence:
      exec: ["{program}", lab, fence, --dir, "{dir}", {takes}"{{member}}"]
      check: ["{program}", lab, fence, --check, --dir, "{dir}", "{{member}}"]
      undo: ["{program}", lab, fence, --undo, --dir, "{dir}", "{{member}}"]
      timeout: {timeout}
    traffic:
      haproxy: {{ runtime_api: ["{api}"], backend: primary, write: "{entry}" }}
"#,
        name = place.estate_name(),
        takes = place.fence_takes.map_or(String::new(), |t| format!("--takes, {}, ", t.written())),
        timeout = place.fence_takes.unwrap_or_default().plus(Span::secs(5)).written(),
        etcd = endpoints(place),
        api = place.runtime_api(),
        entry = place.write_entry(),
    )
}
